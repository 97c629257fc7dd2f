// InvokeWithResponseStream: runs a function and passes its answer on as it comes.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
import MartletCore
import MartletWire
import NIOCore

extension Lambda {
  enum InvokeWithResponseStream: Operation {
    static let route = Route.rest(
      "Lambda.InvokeWithResponseStream", .post, "/2021-11-15/functions/{FunctionName}/response-streaming-invocations")

    struct Input: Readable {
      let invocation: Invoke.Input

      init(_ r: Reader) throws(AWSError) {
        invocation = try Invoke.Input(r, types: ["RequestResponse", "DryRun"])
      }
    }

    struct Output: Writable {
      /// nil for `DryRun`.
      let reply: Reply?

      func write(to w: inout Writer) {
        guard let reply else {
          w.status = 204
          w.payload(ByteBuffer())
          return
        }
        w.header("Content-Type", PayloadEvents.contentType)
        w.header("X-Amz-Executed-Version", reply.executedVersion.description)
        w.header("X-Amzn-Trace-Id", reply.traceHeader)
        if let stream = reply.stream {
          w.payload(PayloadEventSource(stream))
        } else {
          w.payload(PayloadEvents.whole(reply))
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let invocation = try await Invoke.checked(input.invocation, call, lambda, acceptsStream: true) else {
        return Output(reply: nil)
      }
      return Output(reply: try await lambda.line.invoke(invocation))
    }
  }
}
