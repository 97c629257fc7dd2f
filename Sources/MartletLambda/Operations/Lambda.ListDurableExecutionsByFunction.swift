// ListDurableExecutionsByFunction: the durable executions of a function. There are none: no function runs as one.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListDurableExecutionsByFunction.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListDurableExecutionsByFunction: Operation {
    static let route = Route.rest(
      "Lambda.ListDurableExecutionsByFunction", .get, "/2025-12-01/functions/{FunctionName}/durable-executions")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
        _ = r.query("DurableExecutionName", .length(1, 64), .pattern(DurableExecutions.namePattern))
        DurableExecutions.readStatuses(r)
        _ = r.queryMoment("StartedAfter")
        _ = r.queryMoment("StartedBefore")
        _ = r.queryBool("ReverseOrder")
        _ = r.queryInteger("MaxItems", in: 0...1000)
      }
    }

    struct Output: Writable {
      func write(to w: inout Writer) {
        w.body { $0.member("DurableExecutions", [String]()) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      _ = try lambda.find(input.name, qualifier: input.qualifier, call)
      return Output()
    }
  }
}
