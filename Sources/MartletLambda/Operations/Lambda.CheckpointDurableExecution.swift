// CheckpointDurableExecution: keeps what a durable execution has done so far. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html
import MartletCore
import MartletWire

extension Lambda {
  enum CheckpointDurableExecution: Operation {
    static let route = Route.rest(
      "Lambda.CheckpointDurableExecution", .post, "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        let m = try r.smallBody("CheckpointDurableExecution")
        _ = m.required("CheckpointToken", .length(1, 2048), .pattern(DurableExecutions.tokenPattern))
        _ = m.string("ClientToken", .length(1, 64), .pattern(DurableExecutions.clientTokenPattern))
        for update in m.objects("Updates") ?? [] { DurableExecutions.readUpdate(update) }
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("CheckpointDurableExecution: no function runs as a durable execution, so there are none")
    }
  }
}
