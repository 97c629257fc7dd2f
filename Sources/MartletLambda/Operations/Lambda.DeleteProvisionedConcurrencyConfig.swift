// DeleteProvisionedConcurrencyConfig: gives up the environments that are kept ready for a qualifier.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteProvisionedConcurrencyConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteProvisionedConcurrencyConfig: Operation {
    static let route = Route.rest(
      "Lambda.DeleteProvisionedConcurrencyConfig", .delete,
      "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", status: 204)

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        qualifier = r.provisionedQualifier()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.reference(input.name, qualifier: input.qualifier, call)
      try await lambda.functions.change(function.key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard let record = after else { throw .functionNotFound(function.arn) }
        try record.requireProvisioned(function, missing: .provisionedNeedsVersion())
        after?.provisioned[input.qualifier] = nil
      }
      return Empty()
    }
  }
}
