// PauseDurableExecution: halts a durable execution. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_PauseDurableExecution.html
import MartletCore
import MartletWire

extension Lambda {
  enum PauseDurableExecution: Operation {
    static let route = Route.rest(
      "Lambda.PauseDurableExecution", .post, "/2025-12-01/durable-executions/{DurableExecutionArn}/pause", status: 202)
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        let m = try r.smallBody("PauseDurableExecution")
        DurableExecutions.readReason(m)
        _ = m.bool("ExecutionTimeoutPaused")
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("PauseDurableExecution: no function runs as a durable execution, so there are none")
    }
  }
}
