// SendDurableExecutionCallbackSuccess: answers a durable execution that waits for a callback. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackSuccess.html
import MartletCore
import MartletWire
import NIOCore

extension Lambda {
  enum SendDurableExecutionCallbackSuccess: Operation {
    static let route = Route.rest(
      "Lambda.SendDurableExecutionCallbackSuccess", .post,
      "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.path("CallbackId", .length(1, 1024), .pattern(DurableExecutions.tokenPattern))
        if r.payload.readableBytes > 1_048_576 {
          r.violate(
            "Value at 'result' failed to satisfy constraint: Member must have length less than or equal to 1048576")
        }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented(
        "SendDurableExecutionCallbackSuccess: no function runs as a durable execution, so there are none")
    }
  }
}
