// CreateStream: a stream with its first shards.
// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
import MartletCore
import MartletStore
import MartletWire

extension Kinesis {
  enum CreateStream: Operation {
    static let route = Route.target("Kinesis.CreateStream")

    struct Input: Readable {
      let name: String
      let count: Int?
      let mode: KinesisStream.Mode?
      let tags: [KinesisTags.Tag]
      let warmThroughput: Int?
      let maxRecordKiB: Int?
      let strategy: String?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("StreamName", .length(1, 128), .pattern(Kinesis.namePattern))
        count = m.integer("ShardCount", in: 1...Int.max)
        mode = m.streamMode()
        tags = m.kinesisTags(isRequired: false)
        warmThroughput = m.integer("WarmThroughputMiBps", in: 0...Int.max)
        maxRecordKiB = m.integer("MaxRecordSizeInKiB", in: 1024...10240)
        strategy = m.distributionStrategy()
      }
    }

    typealias Output = Empty

    static func answer(
      _ input: Input, _ call: Call, _ kinesis: KinesisService
    ) async throws(AWSError) -> Output {
      let mode = input.mode ?? .provisioned
      guard input.warmThroughput == nil else {
        throw .notImplemented("Kinesis.CreateStream with WarmThroughputMiBps")
      }
      if mode == .provisioned, input.count == nil {
        throw .kinesisMode("ShardCount must be specified for streams in PROVISIONED mode.")
      }
      if mode == .onDemand, input.count != nil {
        throw .kinesisMode("ShardCount must not be specified for streams in ON_DEMAND mode.")
      }
      if mode == .provisioned, input.strategy == "AUTO" { throw .kinesisInvalid(Kinesis.strategyNeedsOnDemand) }
      let tags = try KinesisTags.merge([], input.tags)
      let count = input.count ?? Kinesis.onDemandShards
      let key = ResourceKey(place: call.place, name: input.name)
      let (store, now) = (kinesis.newStore(), kinesis.now)
      try await kinesis.streams.change(key) { record throws(AWSError) in
        guard record == nil else {
          throw .kinesisInUse("Stream \(key.name) under account \(key.place.account) already exists.")
        }
        try kinesis.checkShards(count, in: key.place)
        if mode == .onDemand { try kinesis.checkOnDemandStreams(in: key.place) }
        var stream = KinesisStream(key: key, store: store, created: now, mode: mode)
        stream.tags = tags
        stream.maxRecordKiB = input.maxRecordKiB ?? stream.maxRecordKiB
        stream.isByKey = input.strategy != "AUTO"
        stream.begin(count, at: now)
        record = stream
      }
      return Empty()
    }
  }
}
