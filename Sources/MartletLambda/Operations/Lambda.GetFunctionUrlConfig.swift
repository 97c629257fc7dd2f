// GetFunctionUrlConfig: the address of a function, or of one of its aliases.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionUrlConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionUrlConfig: Operation {
    static let route = Route.rest("Lambda.GetFunctionUrlConfig", .get, "/2021-10-31/functions/{FunctionName}/url")

    struct Input: Readable {
      let target: FunctionURLTarget

      init(_ r: Reader) throws(AWSError) { target = FunctionURLTarget(r) }
    }

    typealias Output = FunctionURLOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try input.target.resolve(call, lambda)
      guard let url = lambda.functions.find(reference.key)?.urls[reference.qualifier ?? ""] else {
        throw .resourceNotFound()
      }
      return Output(reference: reference, url: url, host: call.host)
    }
  }
}
