// SendDurableExecutionCallbackHeartbeat: says that a callback of a durable execution is still to come. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackHeartbeat.html
import MartletCore
import MartletWire

extension Lambda {
  enum SendDurableExecutionCallbackHeartbeat: Operation {
    static let route = Route.rest(
      "Lambda.SendDurableExecutionCallbackHeartbeat", .post,
      "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.path("CallbackId", .length(1, 1024), .pattern(DurableExecutions.tokenPattern))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented(
        "SendDurableExecutionCallbackHeartbeat: no function runs as a durable execution, so there are none")
    }
  }
}
