// GetDurableExecutionState: the operations that a durable execution has to remember. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionState.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetDurableExecutionState: Operation {
    static let route = Route.rest(
      "Lambda.GetDurableExecutionState", .get, "/2025-12-01/durable-executions/{DurableExecutionArn}/state")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        _ = r.requiredQuery("CheckpointToken", .length(1, 2048), .pattern(DurableExecutions.tokenPattern))
        _ = r.queryInteger("MaxItems", in: 0...1000)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("GetDurableExecutionState: no function runs as a durable execution, so there are none")
    }
  }
}
