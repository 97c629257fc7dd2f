// PutProvisionedConcurrencyConfig: keeps environments of a version ready, also by way of an alias that points to it.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutProvisionedConcurrencyConfig: Operation {
    static let route = Route.rest(
      "Lambda.PutProvisionedConcurrencyConfig", .put, "/2019-09-30/functions/{FunctionName}/provisioned-concurrency",
      status: 202)

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String
      let executions: Int

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        qualifier = r.provisionedQualifier()
        let m = try r.smallBody("PutProvisionedConcurrencyConfig")
        executions = m.requiredInteger("ProvisionedConcurrentExecutions", in: 1...Int.max)
      }
    }

    struct Output: Writable {
      let state: ProvisionedConcurrencyState

      func write(to w: inout Writer) { w.body { state.write(to: &$0) } }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.reference(input.name, qualifier: input.qualifier, call)
      let config = ProvisionedConcurrencyConfig(requested: input.executions, lastModified: lambda.world.now())
      let (limits, functions, world) = (lambda.limits, lambda.functions, lambda.world)
      try await functions.change(function.key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard var record = after else { throw .functionNotFound(function.arn) }
        try record.requireProvisioned(function, missing: .provisionedLatest())
        try record.requireNoTenants(for: "Provisioned concurrency")
        if let alias = record.aliases[input.qualifier] {
          record.renewRevision(of: alias.version, world)
          record.provisioned[input.qualifier] = config
          try record.requireProvisionable(alias)
        } else if let version = VersionName(input.qualifier) {
          try record.requireProvisionable(version)
          record.renewRevision(of: version, world)
          record.provisioned[input.qualifier] = config
        }
        let total = record.provisionedTotal
        if let reserved = record.reserved {
          guard total <= reserved else { throw .provisionedAboveReserved() }
        } else {
          let unreserved = limits.concurrentExecutions - functions.setAside(besides: record.key)
          guard total <= unreserved else { throw .provisionedAboveUnreserved(unreserved) }
          guard unreserved - total >= limits.unreservedMinimum else {
            throw .provisionedTooMuch(minimum: limits.unreservedMinimum)
          }
        }
        after = record
      }
      return Output(state: ProvisionedConcurrencyState(config, nil))
    }
  }
}
