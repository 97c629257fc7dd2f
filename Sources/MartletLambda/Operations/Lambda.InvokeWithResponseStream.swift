// InvokeWithResponseStream: runs a function and passes its answer on as it comes. Checked only, but for `DryRun`.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
import MartletCore
import MartletWire
import NIOCore

extension Lambda {
  enum InvokeWithResponseStream: Operation {
    static let route = Route.rest(
      "Lambda.InvokeWithResponseStream", .post, "/2021-11-15/functions/{FunctionName}/response-streaming-invocations")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      let invocation: Invoke.Input

      init(_ r: Reader) throws(AWSError) {
        invocation = try Invoke.Input(r, types: ["RequestResponse", "DryRun"])
      }
    }

    /// Of `DryRun`.
    struct Output: Writable {
      func write(to w: inout Writer) {
        w.status = 204
        w.payload(ByteBuffer())
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      if let invocation = try await Invoke.checked(input.invocation, call, lambda) {
        // A function that cannot be invoked is said to be so, as DryRun says it.
        try await lambda.line.rehearse(invocation.function)
        throw .notImplemented("InvokeWithResponseStream")
      }
      return Output()
    }
  }
}
