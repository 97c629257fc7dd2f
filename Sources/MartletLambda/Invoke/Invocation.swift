// One invocation on its way down the line, and the reply on its way back.
import MartletCore
import NIOCore

package struct Invocation: Sendable {
  package let function: FunctionReference
  /// The event as it came. Checked to be JSON, never decoded.
  package let payload: ByteBuffer
  /// The caller wants the end of the log with the answer.
  package let wantsLog: Bool
  /// Decoded from base64, passed on as it is.
  package let clientContext: String?
  package let requestID: RequestID
  package var traceHeader: String?
  /// Whose environments it uses; nil for functions that do not isolate tenants.
  package let tenant: String?
  /// The caller wants a response that the function streams while it streams it.
  package let acceptsStream: Bool
  /// Of an event: when it was accepted, and which attempt this is, from 1; nil for whoever waits.
  package var event: (accepted: Timestamp, attempt: Int)?
  /// By a poller of an event source: how often that is has no limit of its own.
  package var isPolled = false
  /// nil: nobody traces it.
  var trace: InvocationTrace?

  package init(
    function: FunctionReference, payload: ByteBuffer, wantsLog: Bool = false, clientContext: String? = nil,
    requestID: RequestID, traceHeader: String? = nil, tenant: String? = nil, acceptsStream: Bool = false
  ) {
    self.function = function
    self.payload = payload
    self.wantsLog = wantsLog
    self.clientContext = clientContext
    self.requestID = requestID
    self.traceHeader = traceHeader
    self.tenant = tenant
    self.acceptsStream = acceptsStream
  }
}

/// What came of an invocation. A function that failed is a reply, not an error.
package struct Reply: Sendable {
  package var payload: ByteBuffer
  /// In the place of `payload`, for an invocation that accepts it: what the function has begun to say. How that ended,
  /// and the log, are told at its end.
  package var stream: PayloadStream?
  /// Of a streamed response, as the function gave it.
  package var contentType: String?
  /// `X-Amz-Function-Error`: nil if the function succeeded.
  package var functionError: String?
  package var executedVersion: VersionName
  /// The last 4 KiB of the log, if the invocation wanted it.
  package var log: ByteBuffer?
  package var traceHeader: String

  package init(
    payload: ByteBuffer, functionError: String? = nil, executedVersion: VersionName, log: ByteBuffer? = nil,
    traceHeader: String
  ) {
    self.payload = payload
    self.functionError = functionError
    self.executedVersion = executedVersion
    self.log = log
    self.traceHeader = traceHeader
  }
}
