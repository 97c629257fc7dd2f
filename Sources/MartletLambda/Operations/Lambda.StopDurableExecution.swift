// StopDurableExecution: ends a durable execution. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_StopDurableExecution.html
import MartletCore
import MartletWire

extension Lambda {
  enum StopDurableExecution: Operation {
    static let route = Route.rest(
      "Lambda.StopDurableExecution", .post, "/2025-12-01/durable-executions/{DurableExecutionArn}/stop")
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        DurableExecutions.readError(try r.smallBody("StopDurableExecution"))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("StopDurableExecution: no function runs as a durable execution, so there are none")
    }
  }
}
