// DeleteFunctionUrlConfig: takes the address of a function, or of one of its aliases, away; the others keep theirs.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionUrlConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteFunctionUrlConfig: Operation {
    static let route = Route.rest(
      "Lambda.DeleteFunctionUrlConfig", .delete, "/2021-10-31/functions/{FunctionName}/url", status: 204)

    struct Input: Readable {
      let target: FunctionURLTarget

      init(_ r: Reader) throws(AWSError) { target = FunctionURLTarget(r) }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try input.target.resolve(call, lambda)
      try await lambda.functions.change(reference.key) { (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard after?.urls.removeValue(forKey: reference.qualifier ?? "") != nil else { throw .resourceNotFound() }
      }
      return Empty()
    }
  }
}
