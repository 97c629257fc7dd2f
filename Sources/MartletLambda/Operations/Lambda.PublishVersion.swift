// PublishVersion: an immutable version of $LATEST; the newest one again if nothing has changed since.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
import MartletCore
import MartletWire

extension Lambda {
  enum PublishVersion: Operation {
    static let route = Route.rest(
      "Lambda.PublishVersion", .post, "/2015-03-31/functions/{FunctionName}/versions", status: 201)

    struct Input: Readable {
      let name: FunctionNameParts?
      let codeSha256: String?
      let description: String?
      let revision: String?
      let publishesLatest: Bool

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        let m = try r.smallBody("PublishVersion")
        codeSha256 = m.string("CodeSha256")
        description = m.string("Description", .length(nil, 256))
        revision = m.string("RevisionId")
        publishesLatest = m.string("PublishTo", .oneOf(["LATEST_PUBLISHED"])) != nil
      }
    }

    struct Output: Writable {
      let configuration: FunctionConfiguration

      func write(to w: inout Writer) {
        w.body { configuration.write(to: &$0) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.function(input.name, call)
      let before = try lambda.record(function)
      try lambda.requireStorage(call.place, adding: before.latest.code.size)
      let world = lambda.world
      let version = try await lambda.functions.change(function.key) {
        (after: inout FunctionRecord?) throws(AWSError) -> FunctionConfiguration in
        guard var record = after else { throw .functionNotFound(function.unqualifiedARN) }
        try record.requireChangeable(revision: input.revision)
        if record.latest.state == .failed { throw .functionState(.failed) }
        if let given = input.codeSha256, given != record.latest.code.sha256 {
          throw .codeDigestMismatch(given: given, current: record.latest.code.sha256)
        }
        let version =
          input.publishesLatest
          ? try record.publishToLatest(description: input.description, world)
          : record.publish(description: input.description, isNew: false, world)
        after = record
        return version
      }
      if version.isPending {
        lambda.activation.schedule(function.key)
      } else {
        lambda.activation.published(version)
      }
      return Output(configuration: version)
    }
  }
}
