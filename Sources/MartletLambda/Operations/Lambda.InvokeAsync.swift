// InvokeAsync: keeps an event for a function. Deprecated in favour of Invoke, which does the same.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html
import MartletCore
import MartletWire
import NIOCore

extension Lambda {
  enum InvokeAsync: Operation {
    static let route = Route.rest(
      "Lambda.InvokeAsync", .post, "/2014-11-13/functions/{FunctionName}/invoke-async", status: 202)

    struct Input: Readable {
      let name: FunctionNameParts?
      let payload: ByteBuffer
      let payloadExceedsLimit: Bool

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        payload = r.payload
        payloadExceedsLimit = r.request.bodyExceedsLimit
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.reference(input.name, qualifier: nil, call)
      let limit = lambda.limits.invokeAsyncRequest
      if input.payloadExceedsLimit || input.payload.readableBytes > limit.bytes {
        throw .requestTooLarge("InvokeAsync", limit: limit)
      }
      try lambda.line.find(reference, in: lambda.functions)
      if input.payload.readableBytes > 0, let flaw = JSONScanner.flaw(in: input.payload) {
        throw .payloadNotJSON("\(flaw.reason)\n at [Source: (byte[]); byte offset: #\(flaw.offset)]")
      }
      try await lambda.events.accept(
        Invocation(
          function: reference, payload: input.payload, requestID: call.requestID, traceHeader: call.traceHeader))
      return Empty()
    }
  }
}
