// PutFunctionConcurrency: reserves a part of the account's concurrency for one function, which gets no more than that.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutFunctionConcurrency: Operation {
    static let route = Route.rest(
      "Lambda.PutFunctionConcurrency", .put, "/2017-10-31/functions/{FunctionName}/concurrency")

    struct Input: Readable {
      let name: FunctionNameParts?
      let executions: Int

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        let m = try r.smallBody("PutFunctionConcurrency")
        executions = m.requiredInteger("ReservedConcurrentExecutions", in: 0...Int.max)
      }
    }

    struct Output: Writable {
      let executions: Int

      func write(to w: inout Writer) { w.body { $0.member("ReservedConcurrentExecutions", executions) } }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      let (limits, functions) = (lambda.limits, lambda.functions)
      try await functions.update(function.key) { (record: inout FunctionRecord) throws(AWSError) in
        let provisioned = record.provisionedTotal
        guard input.executions >= provisioned else {
          throw .reservedBelowProvisioned(input.executions, provisioned: provisioned)
        }
        let others = functions.setAside(besides: record.key)
        guard limits.concurrentExecutions - others - input.executions >= limits.unreservedMinimum else {
          throw .reservedTooMuch(minimum: limits.unreservedMinimum)
        }
        record.reservedConcurrency[""] = ReservedConcurrency(executions: input.executions)
      }
      return Output(executions: input.executions)
    }
  }
}
