"""Routes for decomposing a prompt and listing the methods."""

from __future__ import annotations

from fastapi import APIRouter

from semguide.concepts import decompose
from semguide.errors import InvalidArgument
from semguide.runs.checks import check_prompt
from semguide.server.dependencies import ServerDependency
from semguide.server.errors import responses
from semguide.server.replies import concept_models, methods_reply
from semguide.server.schemas import ConceptsReply, ConceptsRequest, MethodsReply

router = APIRouter(prefix="/v1", tags=["semguide"])


@router.post("/concepts", summary="Split a prompt", responses=responses(400, 401, 403, 413))
async def split_prompt(body: ConceptsRequest, server: ServerDependency) -> ConceptsReply:
    """Return the concepts of a prompt with their character spans; no diffusion model is run."""
    limit = server.settings.limits.prompt_length
    check_prompt(body.prompt)
    if len(body.prompt) > limit:
        rule = f"must be at most {limit} characters at this server"
        raise InvalidArgument("prompt", rule, len(body.prompt), "shorten it")
    return ConceptsReply(prompt=body.prompt, concepts=concept_models(decompose(body.prompt)))


@router.get("/methods", summary="The methods, their parameters and ranges", responses=responses(401))
async def list_methods(server: ServerDependency) -> MethodsReply:
    """List the methods with the range of each parameter, and the server's limits."""
    return methods_reply(server.settings.limits)
