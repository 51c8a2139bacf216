"""Thrift over HTTP, as databricks-sql-connector speaks it; every statement is answered at once, in Arrow."""

import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import TCLIService, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

PATH = "/sql/1.0/warehouses/local"

_DONE = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)
_TYPES = {
    pa.bool_(): ttypes.TTypeId.BOOLEAN_TYPE,
    pa.int8(): ttypes.TTypeId.TINYINT_TYPE,
    pa.int16(): ttypes.TTypeId.SMALLINT_TYPE,
    pa.int32(): ttypes.TTypeId.INT_TYPE,
    pa.int64(): ttypes.TTypeId.BIGINT_TYPE,
    pa.float32(): ttypes.TTypeId.FLOAT_TYPE,
    pa.float64(): ttypes.TTypeId.DOUBLE_TYPE,
    pa.string(): ttypes.TTypeId.STRING_TYPE,
    pa.date32(): ttypes.TTypeId.DATE_TYPE,
    pa.null(): ttypes.TTypeId.NULL_TYPE,
}


class Session(Protocol):
    """What answers the statements of a connection."""

    def answer(self, statement: str) -> pa.Table:
        """Rows of a statement; none of one that only does something."""
        ...


class Service(TCLIService.Iface):  # type: ignore[misc]
    """The calls that the adapter makes; `connect` begins a session."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._sessions: dict[bytes, Session] = {}

    def OpenSession(self, request: Any) -> Any:
        handle = _handle()
        self._sessions[handle.guid] = self._connect()
        return ttypes.TOpenSessionResp(
            status=_DONE,
            serverProtocolVersion=ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7,
            sessionHandle=ttypes.TSessionHandle(sessionId=handle),
            canUseMultipleCatalogs=True,
            initialNamespace=request.initialNamespace,
        )

    def CloseSession(self, request: Any) -> Any:
        self._sessions.pop(request.sessionHandle.sessionId.guid, None)
        return ttypes.TCloseSessionResp(status=_DONE)

    def ExecuteStatement(self, request: Any) -> Any:
        session = self._sessions[request.sessionHandle.sessionId.guid]
        operation = ttypes.TOperationHandle(
            operationId=_handle(),
            operationType=ttypes.TOperationType.EXECUTE_STATEMENT,
            hasResultSet=True,
        )
        try:
            results = _results(session.answer(request.statement))
        except Exception as error:
            results = ttypes.TSparkDirectResults(operationStatus=_failed(error))
        return ttypes.TExecuteStatementResp(status=_DONE, operationHandle=operation, directResults=results)

    def CloseOperation(self, request: Any) -> Any:
        return ttypes.TCloseOperationResp(status=_DONE)

    def CancelOperation(self, request: Any) -> Any:
        return ttypes.TCancelOperationResp(status=_DONE)


def serve(service: Service, token: str) -> ThreadingHTTPServer:
    """A server on a free port of loopback, which lets in who has the token."""
    processor = TCLIService.Processor(service)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Authorization"] != f"Bearer {token}":
                self._send(401, b"")
                return
            answered = TMemoryBuffer()
            processor.process(TBinaryProtocol(TMemoryBuffer(asked)), TBinaryProtocol(answered))
            self._send(200, answered.getvalue())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-thrift")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _handle() -> Any:
    return ttypes.THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)


def _failed(error: Exception) -> Any:
    return ttypes.TGetOperationStatusResp(
        status=_DONE,
        operationState=ttypes.TOperationState.ERROR_STATE,
        errorMessage=str(error),
        displayMessage=str(error),
    )


def _results(rows: pa.Table) -> Any:
    schema = ttypes.TTableSchema(
        columns=[
            ttypes.TColumnDesc(columnName=field.name, typeDesc=_type(field.type), position=number)
            for number, field in enumerate(rows.schema, 1)
        ]
    )
    metadata = ttypes.TGetResultSetMetadataResp(
        status=_DONE,
        schema=schema,
        resultFormat=ttypes.TSparkRowSetType.ARROW_BASED_SET,
        arrowSchema=rows.schema.serialize().to_pybytes(),
        lz4Compressed=False,
    )
    batches = [
        ttypes.TSparkArrowBatch(batch=batch.serialize().to_pybytes(), rowCount=batch.num_rows)
        for batch in rows.to_batches()
    ]
    return ttypes.TSparkDirectResults(
        operationStatus=ttypes.TGetOperationStatusResp(
            status=_DONE, operationState=ttypes.TOperationState.FINISHED_STATE
        ),
        resultSetMetadata=metadata,
        resultSet=ttypes.TFetchResultsResp(
            status=_DONE,
            hasMoreRows=False,
            results=ttypes.TRowSet(startRowOffset=0, rows=[], arrowBatches=batches),
        ),
        closeOperation=ttypes.TCloseOperationResp(status=_DONE),
    )


def _type(arrow: pa.DataType) -> Any:
    qualifiers: Mapping[str, int] = {}
    kind = _TYPES.get(arrow, ttypes.TTypeId.STRING_TYPE)
    if pa.types.is_timestamp(arrow):
        kind = ttypes.TTypeId.TIMESTAMP_TYPE
    if pa.types.is_decimal(arrow):
        kind = ttypes.TTypeId.DECIMAL_TYPE
        qualifiers = {"precision": arrow.precision, "scale": arrow.scale}
    entry = ttypes.TPrimitiveTypeEntry(
        type=kind,
        typeQualifiers=ttypes.TTypeQualifiers(
            qualifiers={
                name: ttypes.TTypeQualifierValue(i32Value=value) for name, value in qualifiers.items()
            }
        ),
    )
    return ttypes.TTypeDesc(types=[ttypes.TTypeEntry(primitiveEntry=entry)])
