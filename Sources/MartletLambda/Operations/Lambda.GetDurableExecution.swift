// GetDurableExecution: the state of a durable execution. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecution.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetDurableExecution: Operation {
    static let route = Route.rest(
      "Lambda.GetDurableExecution", .get, "/2025-12-01/durable-executions/{DurableExecutionArn}")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        _ = r.queryBool("IncludeExecutionData")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("GetDurableExecution: no function runs as a durable execution, so there are none")
    }
  }
}
