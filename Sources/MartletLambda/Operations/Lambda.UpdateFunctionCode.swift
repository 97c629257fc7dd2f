// UpdateFunctionCode: new code for $LATEST, which goes on running the old until the new is ready.
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
import MartletCore
import MartletWire

extension Lambda {
  enum UpdateFunctionCode: Operation {
    static let route = Route.rest("Lambda.UpdateFunctionCode", .put, "/2015-03-31/functions/{FunctionName}/code")

    struct Input: Readable {
      let name: FunctionNameParts?
      /// nil: the request was too large to be read.
      let body: Body?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.plain)
        body = r.request.bodyExceedsLimit ? nil : Body(try r.body(), r)
      }
    }

    struct Body: Sendable {
      let code: CodeSource
      let architectures: [String]?
      let publish: Bool
      let publishesLatest: Bool
      let dryRun: Bool
      let revision: String?

      init(_ m: Members, _ r: Reader) {
        code = CodeSource(m)
        architectures = CodeSource.architectures(m, r)
        publish = m.bool("Publish") ?? false
        publishesLatest = m.string("PublishTo", .oneOf(["LATEST_PUBLISHED"])) != nil
        dryRun = m.bool("DryRun") ?? false
        revision = m.string("RevisionId")
      }
    }

    struct Output: Writable {
      let configuration: FunctionConfiguration

      func write(to w: inout Writer) {
        w.body { configuration.write(to: &$0) }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let body = input.body else {
        throw .requestTooLarge("UpdateFunctionCode", limit: lambda.limits.requestSize)
      }
      let function = try lambda.function(input.name, call)
      let before = try lambda.record(function)
      try before.requireChangeable(revision: body.revision)
      if before.latest.image == nil, body.code.image != nil { throw .imageForZipFunction() }
      if before.latest.image != nil, body.code.image == nil { throw .imageMissingInUpdate() }
      let origin = try body.code.origin("UpdateFunctionCode", prefix: "")

      let code = try await lambda.store(origin, call)
      try lambda.limits.requireFit(code.package, before.latest.layers)
      let isSigned = code.image != nil || lambda.areSigned([code.package])
      try lambda.requireSignature(isSigned, before.codeSigningConfigARN, of: function.key)
      if body.dryRun { return Output(configuration: updated(before.latest, body, code)) }
      let (world, limits) = (lambda.world, lambda.limits)
      let configuration = try await lambda.functions.change(function.key) {
        (after: inout FunctionRecord?) throws(AWSError) -> FunctionConfiguration in
        guard var record = after else { throw .functionNotFound(function.unqualifiedARN) }
        try record.requireChangeable(revision: body.revision)
        try limits.requireFit(code.package, record.latest.layers)
        try lambda.requireSignature(isSigned, record.codeSigningConfigARN, of: function.key, isWriting: true)
        record.beginUpdate(world)
        // Whoever brings code means it to run, and not what lies in a directory.
        record.directories[""] = nil
        record.latest = updated(record.latest, body, code)
        let shown =
          body.publishesLatest
          ? try record.publishToLatest(description: nil, world)
          : body.publish ? record.publish(description: nil, isNew: true, world) : record.latest
        after = record
        return shown
      }
      lambda.activation.schedule(function.key)
      return Output(configuration: configuration)
    }

    private static func updated(
      _ latest: FunctionConfiguration, _ body: Body, _ code: StoredCode
    ) -> FunctionConfiguration {
      var changed = latest
      changed.code = code.package
      if var image = code.image {
        image.configuration = latest.image?.configuration
        changed.image = image
      }
      // As the package, so its key: what an update does not name is not there afterwards.
      changed.sourceKeyARN = body.code.sourceKeyARN.flatMap { $0.isEmpty ? nil : $0 }
      if let architectures = body.architectures { changed.architectures = architectures }
      return changed
    }
  }
}
