"""The protocol of Hive's server (TCLIService), which Spark's server speaks too, so every BI tool knows it."""

import functools
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any

import pyarrow as pa
from dbt.adapters.lakehouse.sail import Cancelled
from TCLIService import TCLIService, ttypes

from lakehouse.errors import LakehouseError
from lakehouse.serving import catalog
from lakehouse.serving.rows import row_set, table_schema
from lakehouse.serving.statements import DEFAULT, Connection
from lakehouse.warehouse import Warehouse

# Tools leave connections behind; the one that was unused for longest is ended.
MOST_CONNECTIONS = 100
_PATIENCE_SECONDS = 1.0
_AGAIN_SECONDS = 0.2
_TRIES = 25
_NAME_OF_DBMS = {
    ttypes.TGetInfoType.CLI_SERVER_NAME: "lakehouse",
    ttypes.TGetInfoType.CLI_DBMS_NAME: "Spark SQL",
    ttypes.TGetInfoType.CLI_DBMS_VER: "4.0.0",
}
_VERSIONS = ttypes.TProtocolVersion
_DONE = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)
_STATES = ttypes.TOperationState
_GENERAL_ERROR = "HY000"


class _Operation:
    """A statement that runs or has run, and the rows that were not fetched yet."""

    def __init__(self, answer: "Future[pa.RecordBatchReader]", cancel: Callable[[], None]) -> None:
        self.answer, self.cancel = answer, cancel
        self._rest: pa.RecordBatch | None = None
        self._fetched = 0
        self._lock = Lock()

    def end(self) -> None:
        """End what runs, also what is only about to run."""
        self.answer.cancel()
        for _ in range(_TRIES):
            if wait([self.answer], _AGAIN_SECONDS).done:
                break
            self.cancel()

    def fetch(self, most: int) -> Any:
        """The next rows, at most so many; none at the end."""
        with self._lock:
            rows = self._next()
            part = rows.slice(0, most)
            self._rest = rows.slice(most) if rows.num_rows > most else None
            start, self._fetched = self._fetched, self._fetched + part.num_rows
            return row_set(part, start)

    def _next(self) -> pa.RecordBatch:
        if self._rest is not None:
            return self._rest
        reader = self.answer.result()
        for batch in reader:
            if batch.num_rows:
                return batch
        return pa.RecordBatch.from_pylist([], reader.schema)


def _answers(response: type) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., Any]]:
    """Have a call answered by `response` with what it returns, or with the status of an error."""

    def of(call: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
        @functools.wraps(call)
        def answered(self: "Service", request: Any) -> Any:
            try:
                return response(status=_DONE, **call(self, request))
            except KeyError:
                invalid = ttypes.TStatusCode.INVALID_HANDLE_STATUS
                said = "This connection or statement was ended. Connect again."
                return response(status=ttypes.TStatus(statusCode=invalid, errorMessage=said))
            except (LakehouseError, Cancelled) as error:
                return response(status=_status(str(error)))

        return answered

    return of


class Service(TCLIService.Iface):  # type: ignore[misc]
    """The calls of clients, over the tables of a warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._connections: OrderedDict[bytes, Connection] = OrderedDict()
        self._operations: dict[bytes, _Operation] = {}
        self._owners: dict[bytes, bytes] = {}
        self._threads = ThreadPoolExecutor(thread_name_prefix="statement")
        self._lock = Lock()

    def close(self) -> None:
        """End all connections."""
        for guid in list(self._connections):
            self._end(guid)
        self._threads.shutdown(cancel_futures=True)

    @_answers(ttypes.TOpenSessionResp)
    def OpenSession(self, request: Any) -> dict[str, Any]:
        if request.client_protocol < _VERSIONS.HIVE_CLI_SERVICE_PROTOCOL_V6:
            raise LakehouseError("This driver is older than Hive 0.13. Take a newer one.")
        schema = (request.configuration or {}).get("use:database", DEFAULT)
        connection, handle = Connection(self._warehouse, schema), _handle()
        with self._lock:
            self._connections[handle.guid] = connection
            unused = [*self._connections][:-MOST_CONNECTIONS]
        for guid in unused:
            self._end(guid)
        version = min(request.client_protocol, _VERSIONS.HIVE_CLI_SERVICE_PROTOCOL_V10)
        return {
            "serverProtocolVersion": version,
            "sessionHandle": ttypes.TSessionHandle(sessionId=handle),
            "configuration": {},
        }

    @_answers(ttypes.TCloseSessionResp)
    def CloseSession(self, request: Any) -> dict[str, Any]:
        self._end(request.sessionHandle.sessionId.guid)
        return {}

    @_answers(ttypes.TExecuteStatementResp)
    def ExecuteStatement(self, request: Any) -> dict[str, Any]:
        connection = self._connection(request)
        answer = self._threads.submit(connection.answer, request.statement)
        if not request.runAsync:
            answer.result()
        kind = ttypes.TOperationType.EXECUTE_STATEMENT
        return {"operationHandle": self._begin(request, answer, connection.cancel, kind)}

    @_answers(ttypes.TGetOperationStatusResp)
    def GetOperationStatus(self, request: Any) -> dict[str, Any]:
        answer = self._operation(request).answer
        wait([answer], _PATIENCE_SECONDS)
        if not answer.done():
            return {"operationState": _STATES.RUNNING_STATE}
        error = answer.exception()
        if error is None:
            return {"operationState": _STATES.FINISHED_STATE}
        was_cancelled = isinstance(error, Cancelled)
        state = _STATES.CANCELED_STATE if was_cancelled else _STATES.ERROR_STATE
        told = {"errorMessage": str(error), "sqlState": _GENERAL_ERROR, "errorCode": 0}
        return {"operationState": state, **told}

    @_answers(ttypes.TGetResultSetMetadataResp)
    def GetResultSetMetadata(self, request: Any) -> dict[str, Any]:
        return {"schema": table_schema(self._operation(request).answer.result().schema)}

    @_answers(ttypes.TFetchResultsResp)
    def FetchResults(self, request: Any) -> dict[str, Any]:
        operation = self._operation(request)
        if request.fetchType:
            # What a server logs of a statement; here it is nothing.
            return {"hasMoreRows": False, "results": row_set(pa.RecordBatch.from_pydict({"log": []}), 0)}
        return {"hasMoreRows": True, "results": operation.fetch(max(1, request.maxRows))}

    @_answers(ttypes.TCancelOperationResp)
    def CancelOperation(self, request: Any) -> dict[str, Any]:
        self._operation(request).end()
        return {}

    @_answers(ttypes.TCloseOperationResp)
    def CloseOperation(self, request: Any) -> dict[str, Any]:
        with self._lock:
            self._operations.pop(request.operationHandle.operationId.guid, None)
        return {}

    def GetInfo(self, request: Any) -> Any:
        value = ttypes.TGetInfoValue(stringValue=_NAME_OF_DBMS.get(request.infoType, ""))
        return ttypes.TGetInfoResp(status=_DONE, infoValue=value)

    @_answers(ttypes.TGetCatalogsResp)
    def GetCatalogs(self, request: Any) -> dict[str, Any]:
        return self._tell(request, pa.table({"TABLE_CAT": pa.array([], pa.string())}))

    @_answers(ttypes.TGetSchemasResp)
    def GetSchemas(self, request: Any) -> dict[str, Any]:
        return self._tell(request, catalog.schemas(self._warehouse, request.schemaName))

    @_answers(ttypes.TGetTablesResp)
    def GetTables(self, request: Any) -> dict[str, Any]:
        found = catalog.tables(self._warehouse, request.schemaName, request.tableName)
        wanted = [kind.upper() for kind in request.tableTypes or ["TABLE"]]
        return self._tell(request, found if "TABLE" in wanted else found.slice(0, 0))

    @_answers(ttypes.TGetTableTypesResp)
    def GetTableTypes(self, request: Any) -> dict[str, Any]:
        return self._tell(request, catalog.table_types())

    @_answers(ttypes.TGetColumnsResp)
    def GetColumns(self, request: Any) -> dict[str, Any]:
        asked = (request.schemaName, request.tableName, request.columnName)
        return self._tell(request, catalog.columns(self._warehouse, *asked))

    @_answers(ttypes.TGetTypeInfoResp)
    def GetTypeInfo(self, request: Any) -> dict[str, Any]:
        return self._tell(request, catalog.types())

    @_answers(ttypes.TGetFunctionsResp)
    def GetFunctions(self, request: Any) -> dict[str, Any]:
        names = ("FUNCTION_CAT", "FUNCTION_SCHEM", "FUNCTION_NAME", "REMARKS")
        return self._tell(request, pa.table({name: pa.array([], pa.string()) for name in names}))

    @_answers(ttypes.TGetPrimaryKeysResp)
    def GetPrimaryKeys(self, request: Any) -> dict[str, Any]:
        return self._tell(request, pa.table({}))

    @_answers(ttypes.TGetCrossReferenceResp)
    def GetCrossReference(self, request: Any) -> dict[str, Any]:
        return self._tell(request, pa.table({}))

    def _tell(self, request: Any, told: pa.Table) -> dict[str, Any]:
        """An operation that has its answer."""
        self._connection(request)
        answer: Future[pa.RecordBatchReader] = Future()
        answer.set_result(told.to_reader())
        kind = ttypes.TOperationType.UNKNOWN
        return {"operationHandle": self._begin(request, answer, lambda: None, kind)}

    def _connection(self, request: Any) -> Connection:
        guid = request.sessionHandle.sessionId.guid
        with self._lock:
            self._connections.move_to_end(guid)
            return self._connections[guid]

    def _operation(self, request: Any) -> _Operation:
        with self._lock:
            return self._operations[request.operationHandle.operationId.guid]

    def _begin(
        self, request: Any, answer: "Future[pa.RecordBatchReader]", cancel: Callable[[], None], kind: int
    ) -> Any:
        handle = _handle()
        with self._lock:
            self._operations[handle.guid] = _Operation(answer, cancel)
            self._owners[handle.guid] = request.sessionHandle.sessionId.guid
        return ttypes.TOperationHandle(operationId=handle, operationType=kind, hasResultSet=True)

    def _end(self, guid: bytes) -> None:
        with self._lock:
            connection = self._connections.pop(guid, None)
            for operation in [own for own, owner in self._owners.items() if owner == guid]:
                self._operations.pop(operation, None)
                del self._owners[operation]
        if connection:
            connection.cancel()
            connection.close()


def _handle() -> Any:
    return ttypes.THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)


def _status(message: str) -> Any:
    code = ttypes.TStatusCode.ERROR_STATUS
    return ttypes.TStatus(statusCode=code, errorMessage=message, sqlState=_GENERAL_ERROR, errorCode=0)
