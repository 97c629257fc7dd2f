// DeleteAlias: forgets an alias and what is configured for it. An alias that is not there is no error.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteAlias.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteAlias: Operation {
    static let route = Route.rest(
      "Lambda.DeleteAlias", .delete, "/2015-03-31/functions/{FunctionName}/aliases/{Name}", status: 204)

    struct Input: Readable {
      let function: FunctionNameParts?
      let name: String

      init(_ r: Reader) throws(AWSError) {
        function = r.functionName(.plain)
        name = r.aliasName()
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let key = try lambda.function(input.function, call).key
      try await lambda.functions.update(key) { (record: inout FunctionRecord) throws(AWSError) in
        guard record.aliases[input.name] != nil else { return }
        record.removeAttachments(of: input.name)
      }
      return Empty()
    }
  }
}
