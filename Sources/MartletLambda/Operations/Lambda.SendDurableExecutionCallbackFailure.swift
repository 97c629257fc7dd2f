// SendDurableExecutionCallbackFailure: lets a callback of a durable execution fail. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackFailure.html
import MartletCore
import MartletWire

extension Lambda {
  enum SendDurableExecutionCallbackFailure: Operation {
    static let route = Route.rest(
      "Lambda.SendDurableExecutionCallbackFailure", .post, "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.path("CallbackId", .length(1, 1024), .pattern(DurableExecutions.tokenPattern))
        DurableExecutions.readError(try r.smallBody("SendDurableExecutionCallbackFailure"))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented(
        "SendDurableExecutionCallbackFailure: no function runs as a durable execution, so there are none")
    }
  }
}
