// DeleteFunctionConcurrency: lets a function share the account's concurrency again.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteFunctionConcurrency: Operation {
    static let route = Route.rest(
      "Lambda.DeleteFunctionConcurrency", .delete, "/2017-10-31/functions/{FunctionName}/concurrency", status: 204)

    struct Input: Readable {
      let name: FunctionNameParts?

      init(_ r: Reader) throws(AWSError) { name = r.functionName(.plain) }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      try await lambda.functions.update(function.key) { (record: inout FunctionRecord) throws(AWSError) in
        record.reservedConcurrency[""] = nil
      }
      return Empty()
    }
  }
}
