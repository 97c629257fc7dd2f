// ResumeDurableExecution: lets a halted durable execution go on. Checked only.
// https://docs.aws.amazon.com/lambda/latest/api/API_ResumeDurableExecution.html
import MartletCore
import MartletWire

extension Lambda {
  enum ResumeDurableExecution: Operation {
    static let route = Route.rest(
      "Lambda.ResumeDurableExecution", .post, "/2025-12-01/durable-executions/{DurableExecutionArn}/resume", status: 202
    )
    static let stage = OperationStage.notYet

    struct Input: Readable {
      init(_ r: Reader) throws(AWSError) {
        _ = r.durableExecutionARN()
        DurableExecutions.readReason(try r.smallBody("ResumeDurableExecution"))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      throw .notImplemented("ResumeDurableExecution: no function runs as a durable execution, so there are none")
    }
  }
}
