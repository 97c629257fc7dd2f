// CreateEventSourceMapping: lets records of a queue or a stream invoke a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum CreateEventSourceMapping: Operation {
    static let route = Route.rest(
      "Lambda.CreateEventSourceMapping", .post, "/2015-03-31/event-source-mappings", status: 202)

    struct Input: Readable {
      let sourceARN: String?
      let name: FunctionNameParts?
      let isEnabled: Bool
      let settings: [String: JSONValue]
      let tags: [(key: String, value: String)]

      init(_ r: Reader) throws(AWSError) {
        let m = try r.smallBody("CreateEventSourceMapping")
        sourceARN = m.string(
          "EventSourceArn", .length(0, 10_000), .pattern(EventSourceMappingSettings.sourcePattern))
        name = FunctionNameParts(
          m.required("FunctionName", .length(1, 256), .pattern(FunctionReference.pattern)))
        isEnabled = m.bool("Enabled") ?? true
        settings = EventSourceMappingSettings.create(m)
        tags = m.map("Tags", keys: Tags.keyConstraints, values: Tags.valueConstraints) ?? []
      }

      /// What the mapping reads.
      func source() throws(AWSError) -> EventSource {
        if let sourceARN {
          if settings["SelfManagedEventSource"] == nil, let source = EventSource(arn: sourceARN) { return source }
        } else if settings["SelfManagedEventSource"] != nil {
          return .selfManagedKafka
        }
        throw .unrecognizedSource()
      }
    }

    typealias Output = EventSourceMappingAnswer

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let source = try input.source()
      try EventSourceMapping.check(input.settings, of: source)
      let world = lambda.world
      let uuid = RequestID(from: world)
      var mapping = EventSourceMapping(
        key: ResourceKey(place: call.place, name: uuid.description), source: source, sourceARN: input.sourceARN,
        functionARN: "", isEnabled: input.isEnabled, state: .creating, lastModified: world.now(),
        settings: source.defaults(uuid: uuid), tags: input.tags)
      mapping.apply(input.settings)
      try EventSourceMapping.check(all: mapping.settings, of: source, input.sourceARN)
      try Tags.check(input.tags, lambda.limits)
      mapping.functionARN = try lambda.mappedFunction(input.name, call)
      if let setup = PollerSetup(mapping) { try await lambda.requireReadable(setup) }

      let (catalogue, new) = (lambda.resources.eventSourceMappings, mapping)
      try await catalogue.change(new.key) { (after: inout EventSourceMapping?) throws(AWSError) -> Void in
        if let other = catalogue.newest(in: new.key.place).first(where: { new.isDuplicate(of: $0) }) {
          throw new.duplicateError(other)
        }
        after = new
      }
      lambda.resources.schedule(mapping: new.key)
      return Output(mapping: new)
    }
  }
}
