// CreateFunction: a new function from a deployment package, pending until its code is ready to run.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
import MartletCore
import MartletWire

extension Lambda {
  enum CreateFunction: Operation {
    static let route = Route.rest("Lambda.CreateFunction", .post, "/2015-03-31/functions", status: 201)

    struct Input: Readable {
      /// nil: the request was too large to be read.
      let body: Body?

      init(_ r: Reader) throws(AWSError) {
        body = r.request.bodyExceedsLimit ? nil : Body(try r.body(), r)
      }
    }

    struct Body: Sendable {
      let name: String
      let settings: FunctionSettings
      let code: CodeSource?
      let packageType: String
      let architectures: [String]?
      let publish: Bool
      let publishesLatest: Bool
      let codeSigningConfig: String?
      let tags: [(key: String, value: String)]

      init(_ m: Members, _ r: Reader) {
        name = m.required("FunctionName", .length(1, 140), .pattern(FunctionReference.creationPattern))
        settings = FunctionSettings(m, creating: true)
        code = m.requiredObject("Code").map { CodeSource($0) }
        packageType = m.string("PackageType", .oneOf(["Zip", "Image"])) ?? "Zip"
        architectures = CodeSource.architectures(m, r)
        publish = m.bool("Publish") ?? false
        publishesLatest = m.string("PublishTo", .oneOf(["LATEST_PUBLISHED"])) != nil
        codeSigningConfig = m.string(
          "CodeSigningConfigArn", .length(nil, 200), .pattern(CodeSigningConfig.pattern))
        tags = m.map("Tags", keys: Tags.keyConstraints, values: Tags.valueConstraints) ?? []
      }
    }

    struct Output: Writable {
      let configuration: FunctionConfiguration

      func write(to w: inout Writer) {
        // The version that was published with it is told, but not in the ARN.
        w.body { configuration.write(to: &$0, arn: configuration.unqualifiedARN) }
      }
    }

    /// AWS checks this length after the model's, and under another code.
    private static let longestName = 64

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let body = input.body else {
        throw .requestTooLarge("CreateFunction", limit: lambda.limits.requestSize)
      }
      let key = try lambda.reference(FunctionNameParts(body.name), qualifier: nil, call).key
      guard key.name.utf8.count <= longestName else { throw .functionNameTooLong(key.name, limit: longestName) }
      let origin = try checked(body, lambda.limits)
      let layers = try lambda.layers(body.settings.layers, call.place) ?? []
      try await lambda.requireAssumable(body.settings.role, by: key.name, call)
      if let runtime = body.settings.runtime { try await lambda.runtimes.require(runtime) }
      guard lambda.functions.find(key) == nil else { throw .functionExists(key.name) }
      if let arn = body.codeSigningConfig { _ = try lambda.usableCodeSigningConfig(arn, in: call.place) }

      let code = try await lambda.store(origin, call)
      try lambda.limits.requireFit(code.package, layers)
      let isSigned = code.image != nil || lambda.areSigned([code.package] + layers.map(\.package))
      try lambda.requireSignature(isSigned, body.codeSigningConfig, of: key)
      let world = lambda.world
      let configuration = try await lambda.functions.change(key) {
        (after: inout FunctionRecord?) throws(AWSError) -> FunctionConfiguration in
        guard after == nil else { throw .functionExists(key.name) }
        // Once more: a layer may have been deleted while the code was stored.
        let layers = try lambda.layers(body.settings.layers, key.place, isWriting: true) ?? []
        try lambda.requireSignature(isSigned, body.codeSigningConfig, of: key, isWriting: true)
        var record = make(key, body, code, layers, world)
        let shown =
          body.publishesLatest
          ? try record.publishToLatest(description: nil, world)
          : body.publish ? record.publish(description: nil, isNew: true, world) : record.latest
        after = record
        return shown
      }
      lambda.activation.schedule(key)
      return Output(configuration: configuration)
    }

    /// Everything that can be said of the request without its package being looked at.
    private static func checked(_ body: Body, _ limits: LambdaLimits) throws(AWSError) -> CodeSource.Origin {
      if body.packageType == "Image" || body.code?.image != nil {
        guard body.settings.handler == nil, body.settings.runtime == nil, body.settings.layers?.isEmpty ?? true else {
          throw .zipSettingsOfImage()
        }
        guard body.packageType == "Image" else { throw .imageOfZip() }
        if body.settings.snapStartApplyOn == "PublishedVersions" { throw .snapStartUnsupported("Package type Image") }
        guard body.code == nil || body.code?.image != nil else { throw .codeSourceMissing() }
      } else {
        guard body.settings.runtime != nil, body.settings.handler != nil else { throw .runtimeAndHandlerMissing() }
        if body.settings.imageConfig?.isEmpty == false { throw .imageConfigOfZip() }
      }
      try body.settings.check(limits, format: body.settings.kept["CapacityProviderConfig"] == nil ? .text : .json)
      try Tags.check(body.tags, limits)
      try body.settings.check(against: nil)
      guard let code = body.code else { throw .codeSourceMissing() }
      return try code.origin("CreateFunction", prefix: "Code.")
    }

    private static func make(
      _ key: FunctionKey, _ body: Body, _ code: StoredCode, _ layers: [FunctionLayer], _ world: any World
    ) -> FunctionRecord {
      var latest = FunctionConfiguration(
        place: key.place, name: key.name, role: "", code: code.package, lastModified: world.now(),
        revisionID: RequestID(from: world), incarnation: RequestID(from: world))
      latest.image = code.image
      if code.image != nil { latest.packageType = "Image" }
      // Lines of invocations that share an environment can be told apart by what is in them only.
      if body.settings.kept["CapacityProviderConfig"] != nil { latest.logging.beginJSON() }
      body.settings.apply(to: &latest)
      latest.layers = layers
      if let architectures = body.architectures { latest.architectures = architectures }
      latest.sourceKeyARN = body.code?.sourceKeyARN.flatMap { $0.isEmpty ? nil : $0 }
      latest.stateReason = .creating
      var record = FunctionRecord(latest: latest)
      record.tags = body.tags
      if let arn = body.codeSigningConfig { record.codeSigning[""] = FunctionCodeSigning(arn: arn) }
      return record
    }
  }
}
