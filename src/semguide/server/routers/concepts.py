"""Routes for decomposing a prompt and listing the methods."""

from __future__ import annotations

from fastapi import APIRouter

from semguide.concepts import decompose
from semguide.errors import InvalidArgument
from semguide.runs.checks import check_prompt
from semguide.server.dependencies import FrontDependency
from semguide.server.errors import responses
from semguide.server.json_bodies import JsonRoute
from semguide.server.replies import concepts_reply, methods_reply
from semguide.server.reply_schemas import ConceptsReply, MethodsReply
from semguide.server.request_schemas import ConceptsRequest
from semguide.server.requests import find_served, most_concepts

router = APIRouter(prefix="/v1", tags=["semguide"], route_class=JsonRoute)


@router.post("/concepts", summary="Split a prompt", responses=responses(400, 401, 403, 404, 413))
async def split_prompt(body: ConceptsRequest, server: FrontDependency) -> ConceptsReply:
    """Return the concepts of a prompt with their spans, and which would be kept; no diffusion model is run."""
    from semguide.adapters.inputs import choose_read

    limits = server.settings.limits
    limit = limits.prompt_length
    check_prompt(body.prompt)
    if len(body.prompt) > limit:
        rule = f"must be at most {limit} characters at this server"
        raise InvalidArgument("prompt", rule, len(body.prompt), "shorten it")
    most = most_concepts(body.max_concepts, limits)
    readers = find_served(server.models, body.model).readers
    return concepts_reply(body.prompt, choose_read(body.prompt, decompose(body.prompt), most, readers))


@router.get("/methods", summary="The methods, their parameters and ranges", responses=responses(401))
async def list_methods(server: FrontDependency) -> MethodsReply:
    """List the methods with the range of each parameter, and the server's limits."""
    return methods_reply(server.settings.limits)
