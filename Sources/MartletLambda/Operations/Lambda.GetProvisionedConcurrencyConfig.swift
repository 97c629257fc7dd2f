// GetProvisionedConcurrencyConfig: how many environments are kept ready for a qualifier, and how many are.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetProvisionedConcurrencyConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetProvisionedConcurrencyConfig", .get, "/2019-09-30/functions/{FunctionName}/provisioned-concurrency")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        qualifier = r.provisionedQualifier()
      }
    }

    struct Output: Writable {
      let state: ProvisionedConcurrencyState

      func write(to w: inout Writer) { w.body { state.write(to: &$0) } }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.reference(input.name, qualifier: input.qualifier, call)
      guard let record = lambda.functions.find(function.key) else { throw .functionNotFound(function.arn) }
      try record.requireProvisioned(function, missing: .provisionedNeedsVersion())
      guard let config = record.provisioned[input.qualifier] else { throw .provisionedNotFound() }
      return Output(
        state: ProvisionedConcurrencyState(config, lambda.provisioned.state(record, input.qualifier)))
    }
  }
}
