// DeleteDurableExecution: removes a durable execution with its history. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteDurableExecution.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteDurableExecution: Operation {
    static let route = Route.rest(
      "Lambda.DeleteDurableExecution", .delete, "/2025-12-01/durable-executions/{DurableExecutionArn}", status: 202)
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("DeleteDurableExecution: no function runs as a durable execution, so there are none")
    }
  }
}
