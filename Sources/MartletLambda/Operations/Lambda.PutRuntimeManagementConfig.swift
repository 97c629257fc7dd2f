// PutRuntimeManagementConfig: says when a version takes up a new version of its runtime.
// https://docs.aws.amazon.com/lambda/latest/api/API_PutRuntimeManagementConfig.html
import MartletCore
import MartletWire

extension Lambda {
  enum PutRuntimeManagementConfig: Operation {
    static let route = Route.rest(
      "Lambda.PutRuntimeManagementConfig", .put, "/2021-07-20/functions/{FunctionName}/runtime-management-config")
    /// The host's runtimes have one version at a time, so there is nothing to choose between.
    static let stage = OperationStage.stored

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?
      let management: RuntimeManagement

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
        let m = try r.smallBody("PutRuntimeManagementConfig")
        management = RuntimeManagement(
          updateOn: m.required("UpdateRuntimeOn", .oneOf(RuntimeManagement.modes)),
          runtimeVersion: m.string("RuntimeVersionArn", .length(26, 2048), .pattern(pattern)))
      }
    }

    typealias Output = RuntimeManagementOutput

    private static let pattern = Pattern(
      #"((arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}::runtime:.+)|(arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:runtime/[A-Za-z0-9_.-]{1,128}/version/[A-Za-z0-9_.-]{1,128}))"#
    )

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let found = try lambda.runtimeManaged(input.name, qualifier: input.qualifier, call)
      let version = found.configuration.version
      try await lambda.functions.update(found.reference.key) { (record: inout FunctionRecord) throws(AWSError) in
        guard let configuration = record.configuration(version) else { throw .functionNotFound(found.reference.arn) }
        try input.management.check(for: configuration)
        record.runtimeManagement[version.description] = input.management
      }
      return Output(arn: found.shownARN, management: input.management)
    }
  }
}
