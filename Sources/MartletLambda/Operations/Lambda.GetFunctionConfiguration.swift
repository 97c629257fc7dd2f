// GetFunctionConfiguration: one version's configuration.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunctionConfiguration: Operation {
    static let route = Route.rest(
      "Lambda.GetFunctionConfiguration", .get, "/2015-03-31/functions/{FunctionName}/configuration")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    struct Output: Writable {
      let configuration: FunctionConfiguration
      let arn: String

      func write(to w: inout Writer) {
        w.body { configuration.write(to: &$0, arn: arn) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let found = try lambda.find(input.name, qualifier: input.qualifier, call)
      return Output(configuration: found.configuration, arn: found.shownARN)
    }
  }
}
