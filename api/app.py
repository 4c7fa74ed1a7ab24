"""The application: its routes, what stands before them, and the product behind them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api.admin.console import router as console
from api.admin.console_agents import router as console_agents
from api.admin.console_email import router as console_email
from api.admin.console_filters import router as console_filters
from api.admin.console_hours import router as console_hours
from api.admin.console_live import router as console_live
from api.admin.console_macros import router as console_macros
from api.admin.console_tickets import router as console_tickets
from api.admin.evaluations import router as evaluations
from api.admin.figures import router as shop_figures
from api.admin.jobs import router as jobs
from api.admin.knowledge import router as knowledge
from api.admin.knowledge_editor import router as knowledge_editor
from api.admin.knowledge_health import router as knowledge_health
from api.admin.privacy import router as privacy_requests
from api.admin.users import router as users
from api.assemble import open_product
from api.documentation import DESCRIPTION, TAGS, document_routes
from api.errors import register_error_handlers
from api.middleware import BodyLimit, RateLimit, RequestContext, TimeLimit
from api.operations.figures import router as figures
from api.operations.health import router as health
from api.pages import router as pages
from api.support.api_keys import router as api_keys
from api.support.auth import router as auth
from api.support.chat import router as chat
from api.support.chat_socket import router as chat_socket
from api.support.chat_stream import router as chat_stream
from api.support.passwords import router as passwords
from api.support.privacy import router as privacy
from api.support.products import router as products
from api.support.tickets import router as tickets
from api.support.upload import router as uploads
from api.support.voice import router as voice
from api.support.voice_call import router as voice_call
from api.support.voice_ledger import router as voice_ledger
from api.support.voice_twilio import router as voice_twilio
from api.support.widget import router as widget
from api.version import VERSION
from core.runtime import Runtime
from core.settings import Settings
from services.accounts.users import demo_users_exist

ROUTERS = (
    auth,
    passwords,
    api_keys,
    chat,
    chat_stream,
    chat_socket,
    widget,
    tickets,
    uploads,
    voice,
    voice_call,
    voice_ledger,
    voice_twilio,
    products,
    knowledge,
    knowledge_editor,
    knowledge_health,
    shop_figures,
    evaluations,
    console,
    console_live,
    console_tickets,
    console_macros,
    console_filters,
    console_agents,
    console_hours,
    console_email,
    users,
    jobs,
    privacy,
    privacy_requests,
    health,
    figures,
    pages,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; the product opens with it and closes with it."""
    settings = settings or Settings()
    documented = settings.environment == "development"
    app = FastAPI(
        title="Meuble de France",
        description=DESCRIPTION,
        version=VERSION,
        openapi_tags=TAGS,
        docs_url="/docs" if documented else None,
        redoc_url="/redoc" if documented else None,
        openapi_url="/openapi.json" if documented else None,
        redirect_slashes=False,
        lifespan=_lifespan(settings),
    )
    for router in ROUTERS:
        # Routes carry their whole paths; `include_router` would work each of them out once more.
        app.router.routes.extend(router.routes)
    register_error_handlers(app)
    _add_middleware(app, settings)
    document_routes(app)
    return app


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.started_at = time.monotonic()
        async with open_product(settings) as runtime:
            await _refuse_demo_accounts(runtime)
            app.state.runtime = runtime
            yield

    return lifespan


async def _refuse_demo_accounts(runtime: Runtime) -> None:
    """Production does not start beside accounts whose password is published."""
    if runtime.settings.environment != "production":
        return
    if await demo_users_exist(runtime.database):
        raise RuntimeError("the database holds demo accounts; production refuses to start")


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """The last one added is the outermost."""
    app.add_middleware(BodyLimit)
    app.add_middleware(TimeLimit)
    if settings.rate_limits == "on":
        app.add_middleware(RateLimit, proxies=settings.proxy_networks)
    if settings.origins:
        _add_other_origins(app, settings.origins)
    app.add_middleware(RequestContext)


def _add_other_origins(app: FastAPI, origins: tuple[str, ...]) -> None:
    """Let these origins' pages use the API with a token; cookies stay with this server's own."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "Last-Event-ID",
            "X-Public-Key",
            "X-Visitor-Token",
        ],
        expose_headers=["Location", "Retry-After", "X-Request-ID", "X-Visitor-Token"],
        max_age=3600,
    )
