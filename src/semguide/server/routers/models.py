"""Routes of OpenAI's Models API."""

from __future__ import annotations

from fastapi import APIRouter

from semguide.server.dependencies import FrontDependency
from semguide.server.errors import responses
from semguide.server.json_bodies import JsonRoute
from semguide.server.replies import model_card
from semguide.server.reply_schemas import ModelCard, ModelList
from semguide.server.requests import find_served

router = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=JsonRoute)


@router.get("/models", summary="The served models", responses=responses(401))
async def list_models(server: FrontDependency) -> ModelList:
    """List the models; the first one is the default."""
    return ModelList(data=[model_card(model) for model in server.models.values()])


@router.get("/models/{model:path}", summary="One model", responses=responses(400, 401, 404))
async def get_model(model: str, server: FrontDependency) -> ModelCard:
    """Return a model with its defaults and ranges."""
    return model_card(find_served(server.models, model))
