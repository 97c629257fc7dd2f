// An asynchronous Invoke by another service of this server: the event is on disk when it is answered.
import MartletCore
import MartletWire
import NIOCore

extension Lambda.InvokeEvent: Operation {
  /// - Throws: what Invoke with the type Event throws, such as ResourceNotFoundException and
  ///   RequestEntityTooLargeException.
  package static func answer(
    _ input: Input, _ call: Call, _ lambda: LambdaService
  ) async throws(AWSError) -> Output {
    guard let name = FunctionNameParts(input.function) else { throw .resourceNotFound() }
    let reference = try lambda.reference(name, qualifier: nil, call)
    let limit = lambda.limits.asynchronousInvokeRequest
    if input.payload.readableBytes > limit.bytes { throw .payloadTooLarge(limit: limit) }
    try lambda.line.find(reference, in: lambda.functions).configuration.check(tenant: nil)
    if input.payload.readableBytes > 0, let flaw = JSONScanner.flaw(in: input.payload) {
      throw .payloadNotJSON("\(flaw.reason)\n at [Source: (byte[]); byte offset: #\(flaw.offset)]")
    }
    try await lambda.events.accept(
      Invocation(function: reference, payload: input.payload, requestID: call.requestID, traceHeader: call.traceHeader))
    return Output()
  }
}
