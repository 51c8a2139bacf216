"""Hive's protocol over HTTP, for who has the password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool
from TCLIService import TCLIService
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

from lakehouse.serving.protocol import Service
from lakehouse.web import is_right

PATH = "/cliservice"
# A statement has a few kilobytes, and a call is little more than one.
MOST_BYTES = 16 << 20


def make_app(service: Service, password: SecretStr) -> FastAPI:
    """The application; a request without the password is refused before it is read."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    processor = TCLIService.Processor(service)

    def process(asked: bytes) -> bytes:
        answered = TMemoryBuffer()
        processor.process(TBinaryProtocol(TMemoryBuffer(asked)), TBinaryProtocol(answered))
        answer: bytes = answered.getvalue()
        return answer

    @app.post(PATH)
    @app.post(f"{PATH}/")
    async def call(request: Request) -> Response:
        if not is_right(request.headers.get("Authorization", ""), password):
            asked_for = {"WWW-Authenticate": 'Basic realm="lakehouse", charset="UTF-8"'}
            return PlainTextResponse("Give any user, and LAKEHOUSE_SERVE_PASSWORD.", 401, asked_for)
        asked = b""
        async for part in request.stream():
            asked += part
            if len(asked) > MOST_BYTES:
                return PlainTextResponse(f"A request has at most {MOST_BYTES:,} bytes.", 413)
        return Response(await run_in_threadpool(process, asked), media_type="application/x-thrift")

    return app
