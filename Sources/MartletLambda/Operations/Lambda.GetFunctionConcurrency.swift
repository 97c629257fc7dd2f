// GetFunctionConcurrency: how much of the account's concurrency is reserved for a function; nothing if nothing is.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionConcurrency: Operation {
    static let route = Route.rest(
      "Lambda.GetFunctionConcurrency", .get, "/2019-09-30/functions/{FunctionName}/concurrency")

    struct Input: Readable {
      let name: FunctionNameParts?

      init(_ r: Reader) throws(AWSError) { name = r.functionName(.plain) }
    }

    struct Output: Writable {
      let executions: Int?

      func write(to w: inout Writer) { w.body { $0.member("ReservedConcurrentExecutions", executions) } }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      Output(executions: try lambda.record(lambda.function(input.name, call)).reserved)
    }
  }
}
