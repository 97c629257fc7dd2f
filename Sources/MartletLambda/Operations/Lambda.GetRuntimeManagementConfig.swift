// GetRuntimeManagementConfig: when a version takes up a new version of its runtime.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetRuntimeManagementConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetRuntimeManagementConfig: Operation {
    static let route = Route.rest(
      "Lambda.GetRuntimeManagementConfig", .get, "/2021-07-20/functions/{FunctionName}/runtime-management-config")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    typealias Output = RuntimeManagementOutput

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let found = try lambda.runtimeManaged(input.name, qualifier: input.qualifier, call)
      let management = found.record.runtimeManagement[found.configuration.version.description] ?? .initial
      return Output(arn: found.shownARN, management: management)
    }
  }
}
