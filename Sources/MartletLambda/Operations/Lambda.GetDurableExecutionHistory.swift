// GetDurableExecutionHistory: what happened in a durable execution. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionHistory.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetDurableExecutionHistory: Operation {
    static let route = Route.rest(
      "Lambda.GetDurableExecutionHistory", .get, "/2025-12-01/durable-executions/{DurableExecutionArn}/history")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        _ = r.queryBool("IncludeExecutionData")
        _ = r.queryBool("ReverseOrder")
        _ = r.queryInteger("MaxItems", in: 0...1000)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("GetDurableExecutionHistory: no function runs as a durable execution, so there are none")
    }
  }
}
