// InvokeAsync: runs a function later. Checked only; deprecated in favour of Invoke.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html
import MartletCore
import MartletWire
import NIOCore

extension Lambda {
  enum InvokeAsync: Operation {
    static let route = Route.rest(
      "Lambda.InvokeAsync", .post, "/2014-11-13/functions/{FunctionName}/invoke-async", status: 202)
    static let stage = OperationStage.notYet

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
      let limit = lambda.limits.asynchronousInvokeRequest
      if input.payloadExceedsLimit || input.payload.readableBytes > limit.bytes {
        throw .requestTooLarge("InvokeAsync", limit: limit)
      }
      guard lambda.functions.find(reference.key) != nil else { throw .functionNotFound(reference.arn) }
      if input.payload.readableBytes > 0, let flaw = JSONScanner.flaw(in: input.payload) {
        throw .payloadNotJSON("\(flaw.reason)\n at [Source: (byte[]); byte offset: #\(flaw.offset)]")
      }
      throw .notImplemented("InvokeAsync")
    }
  }
}
