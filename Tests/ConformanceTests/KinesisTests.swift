// Streams, shards and records as their clients see them.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import Testing

@testable import MartletCloud

@Suite struct KinesisTests {
  static let arn = "arn:aws:kinesis:us-east-1:111111111111:stream/s"

  @Test func recordsComeInTheOrderInWhichTheyWerePut() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    var sequences: [String] = []
    for n in 0..<20 { sequences.append(try await kinesis.put("r\(n)").sequence) }
    #expect(sequences == sequences.sorted() && Set(sequences).count == 20)
    #expect(sequences.allSatisfy { $0.count == 56 })
    var iterator = try await kinesis.iterator("TRIM_HORIZON")
    var read: [JSONValue] = []
    while read.count < 20 {
      let page = try await kinesis.records(iterator, limit: 7)
      let records = try #require(page["Records"]?.array)
      try #require(!records.isEmpty)
      read += records
      #expect(page["MillisBehindLatest"]?.integer == 0)
      iterator = page["NextShardIterator"]?.string ?? ""
    }
    #expect(read.compactMap { $0["SequenceNumber"]?.string } == sequences)
    #expect(read[3]["PartitionKey"]?.string == "k" && read[3]["EncryptionType"]?.string == "NONE")
    #expect(read[3]["ApproximateArrivalTimestamp"]?.number == Double(KinesisFixture.start) / 1000)
    #expect(kinesis.texts(try await kinesis.records(iterator)).isEmpty)
    // The iterator of an empty page goes on.
    try await kinesis.put("late")
    #expect(kinesis.texts(try await kinesis.records(iterator)) == ["late"])
  }

  @Test func iteratorsBeginWhereTheySay() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    let first = try await kinesis.put("a").sequence
    await kinesis.advance(10)
    let second = try await kinesis.put("b").sequence
    let latest = try await kinesis.iterator("LATEST")
    try await kinesis.put("c")
    let at = #","StartingSequenceNumber":"\#(second)""#
    #expect(try await kinesis.texts("AT_SEQUENCE_NUMBER", at) == ["b", "c"])
    #expect(try await kinesis.texts("AFTER_SEQUENCE_NUMBER", at) == ["c"])
    #expect(kinesis.texts(try await kinesis.records(latest)) == ["c"])
    for (time, wanted) in [(0, ["a", "b", "c"]), (1, ["b", "c"]), (10, ["b", "c"])] {
      let seconds = Double(KinesisFixture.start) / 1000 + Double(time)
      #expect(try await kinesis.texts("AT_TIMESTAMP", #","Timestamp":\#(seconds)"#) == wanted)
    }
    // The place of the first record of a shard, and of a time at which nothing came yet.
    let shard = try #require(try await kinesis.shards().first)
    let start = try #require(shard["SequenceNumberRange"]?["StartingSequenceNumber"]?.string)
    #expect(start < first)
    #expect(
      try await kinesis.texts("AT_SEQUENCE_NUMBER", #","StartingSequenceNumber":"\#(start)""#) == ["a", "b", "c"])
    await kinesis.advance(10)
    let now = try await kinesis.iterator("AT_TIMESTAMP", #","Timestamp":\#(Double(KinesisFixture.start) / 1000 + 20)"#)
    try await kinesis.put("d")
    #expect(kinesis.texts(try await kinesis.records(now)) == ["d"])
    let page = try await kinesis.records(kinesis.iterator("TRIM_HORIZON"), limit: 1)
    #expect(page["MillisBehindLatest"]?.integer == 20_000)
  }

  @Test func wrongIteratorsAreRefused() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream(2)
    let (shard, sequence) = try await kinesis.put("a")
    let other = shard == KinesisShard.id(0) ? 1 : 0
    func refusal(_ type: String, shard: Int, _ more: String = "") async throws -> KinesisFixture.Answer {
      try await kinesis.call(
        "GetShardIterator",
        #"{"StreamName":"s","ShardId":"\#(KinesisShard.id(shard))","ShardIteratorType":"\#(type)"\#(more)}"#)
    }
    let missing = try await refusal("AT_SEQUENCE_NUMBER", shard: 0)
    #expect(missing.code == "InvalidArgumentException")
    #expect(missing.message.hasSuffix("Request specified AT_SEQUENCE_NUMBER and no StartingSequenceNumber."))
    let given = #","StartingSequenceNumber":"\#(sequence)""#
    #expect(try await refusal("LATEST", shard: 0, given).message.hasSuffix("also a StartingSequenceNumber."))
    let wrong = try await refusal("AT_SEQUENCE_NUMBER", shard: other, given)
    #expect(
      wrong.message == "Invalid StartingSequenceNumber. It encodes \(shard), while it was used in a call to a shard "
        + "with \(KinesisShard.id(other))")
    #expect(
      try await refusal("AT_SEQUENCE_NUMBER", shard: 0, #","StartingSequenceNumber":"5""#).message.hasPrefix(
        "StartingSequenceNumber 5 used in GetShardIterator on shard shardId-000000000000 in stream s under account 111111111111 is invalid"
      ))
    let absent = try await refusal("LATEST", shard: 7)
    #expect(absent.code == "ResourceNotFoundException")
    #expect(absent.message == "Shard shardId-000000000007 in stream s under account 111111111111 does not exist")
    #expect(try await refusal("AT_TIMESTAMP", shard: 0).code == "InvalidArgumentException")
    #expect(
      try await refusal("AT_TIMESTAMP", shard: 0, #","Timestamp":1900000000"#).message.hasPrefix(
        "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis."))
    for text in ["x", "", "AAAA", Base64.encode(Array("111111111111/us-east-1/s/1/0/0/0/0".utf8))] {
      let answer = try await kinesis.call("GetRecords", #"{"ShardIterator":"\#(text)"}"#)
      #expect(
        answer.status == 400 && answer.code == (text.isEmpty ? "ValidationException" : "InvalidArgumentException"))
    }
    let dry = try await kinesis.call(
      "PutRecord", #"{"StreamName":"s","Data":"YQ==","PartitionKey":"k","DryRun":true}"#)
    let rows = try kinesis.rows()
    #expect(dry.code == "DryRunOperationException" && rows == 1)
  }

  @Test func iteratorsExpire() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    let iterator = try await kinesis.iterator("TRIM_HORIZON")
    await kinesis.advance(300)
    #expect(try await kinesis.call("GetRecords", #"{"ShardIterator":"\#(iterator)"}"#).status == 200)
    await kinesis.advance(1)
    let answer = try await kinesis.call("GetRecords", #"{"ShardIterator":"\#(iterator)"}"#)
    #expect(answer.code == "ExpiredIteratorException" && answer.message.hasPrefix("Iterator expired. The iterator was"))
  }

  @Test func iteratorsOfDeletedStreamsReadNothingOfOthers() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    try await kinesis.put("old")
    let iterator = try await kinesis.iterator("TRIM_HORIZON")
    try await kinesis.done("DeleteStream", #"{"StreamName":"s"}"#)
    #expect(
      try await kinesis.call("GetRecords", #"{"ShardIterator":"\#(iterator)"}"#).message
        == "Stream s under account 111111111111 not found.")
    try await kinesis.makeStream()
    #expect(
      try await kinesis.call("GetRecords", #"{"ShardIterator":"\#(iterator)"}"#).code == "ResourceNotFoundException")
    #expect(try await kinesis.texts("TRIM_HORIZON").isEmpty)
    try await kinesis.database.write { _ in }
    #expect(try kinesis.rows() == 0)
  }

  @Test func keysChooseShards() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream(4)
    let shards = try await kinesis.shards()
    var seen: Set<String> = []
    for n in 0..<40 {
      let shard = try await kinesis.put("x", key: "key-\(n)").shard
      let again = try await kinesis.put("x", key: "key-\(n)").shard
      #expect(shard == again)
      let record = try #require(shards.first { $0["ShardId"]?.string == shard })
      let range = try #require(record["HashKeyRange"])
      let low = try #require(range["StartingHashKey"]?.string.flatMap { UInt128($0) })
      let high = try #require(range["EndingHashKey"]?.string.flatMap { UInt128($0) })
      let hash = try #require(UInt128(Digest.md5("key-\(n)"), radix: 16))
      #expect((low...high).contains(hash))
      seen.insert(shard)
    }
    #expect(seen.count == 4)
    let records = [("0", 0), ("340282366920938463463374607431768211455", 3)].map { hash, _ in
      #"{"Data":"YQ==","PartitionKey":"same","ExplicitHashKey":"\#(hash)"}"#
    }
    let body = try await kinesis.done(
      "PutRecords", #"{"StreamName":"s","Records":[\#(records.joined(separator: ","))]}"#)
    #expect(body["FailedRecordCount"]?.integer == 0)
    #expect(body["Records"]?.array?.compactMap { $0["ShardId"]?.string } == [KinesisShard.id(0), KinesisShard.id(3)])
    let beyond = "340282366920938463463374607431768211456"
    let answer = try await kinesis.call(
      "PutRecord", #"{"StreamName":"s","Data":"YQ==","PartitionKey":"k","ExplicitHashKey":"\#(beyond)"}"#)
    #expect(
      answer.message == "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
        + "Specified value was \(beyond)")
  }

  @Test func shardsAreSplitAndMerged() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    try await kinesis.put("before")
    let half = UInt128.max / 2 + 1
    try await kinesis.done(
      "SplitShard", #"{"StreamName":"s","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"\#(half)"}"#)
    try await kinesis.put("after")
    let shards = try await kinesis.shards()
    #expect(shards.count == 3 && shards[0]["SequenceNumberRange"]?["EndingSequenceNumber"] != nil)
    for child in shards.dropFirst() {
      #expect(child["ParentShardId"]?.string == "shardId-000000000000" && child["AdjacentParentShardId"] == nil)
      let (end, start) = (
        shards[0]["SequenceNumberRange"]?["EndingSequenceNumber"]?.string ?? "",
        child["SequenceNumberRange"]?["StartingSequenceNumber"]?.string ?? ""
      )
      #expect(end < start && !end.isEmpty)
    }
    #expect(shards[1]["HashKeyRange"]?["EndingHashKey"]?.string == String(half - 1))
    // A closed shard ends, and says what came of it.
    let page = try await kinesis.records(kinesis.iterator("TRIM_HORIZON"))
    #expect(kinesis.texts(page) == ["before"] && page["NextShardIterator"] == nil)
    #expect(
      page["ChildShards"]?.array?.compactMap { $0["ShardId"]?.string } == [KinesisShard.id(1), KinesisShard.id(2)])
    let (left, right) = (
      try await kinesis.texts("TRIM_HORIZON", shard: 1), try await kinesis.texts("TRIM_HORIZON", shard: 2)
    )
    #expect(left + right == ["after"])
    try await kinesis.done(
      "MergeShards",
      #"{"StreamName":"s","ShardToMerge":"shardId-000000000002","AdjacentShardToMerge":"shardId-000000000001"}"#)
    let merged = try #require(try await kinesis.shards().last)
    #expect(merged["ParentShardId"]?.string == "shardId-000000000002")
    #expect(merged["AdjacentParentShardId"]?.string == "shardId-000000000001")
    #expect(merged["HashKeyRange"]?["EndingHashKey"]?.string == String(UInt128.max))
    #expect(try await kinesis.shards(#","ShardFilter":{"Type":"AT_LATEST"}"#).count == 1)
    #expect(
      try await kinesis.shards(#","ShardFilter":{"Type":"AFTER_SHARD_ID","ShardId":"shardId-000000000001"}"#).count == 2
    )
    // What is closed is gone when its records are.
    await kinesis.advance(24 * 3600 + 1)
    #expect(try await kinesis.shards().compactMap { $0["ShardId"]?.string } == [KinesisShard.id(3)])
  }

  @Test func wrongSplitsAndMergesAreRefused() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream(3)
    func refusal(_ operation: String, _ body: String) async throws -> KinesisFixture.Answer {
      try await kinesis.call(operation, #"{"StreamName":"s",\#(body)}"#)
    }
    func split(_ shard: Int, _ key: String) async throws -> KinesisFixture.Answer {
      try await refusal("SplitShard", #""ShardToSplit":"\#(KinesisShard.id(shard))","NewStartingHashKey":"\#(key)""#)
    }
    #expect(try await split(0, "0").message.contains("is not both greater than one plus the shard's StartingHashKey 0"))
    #expect(
      try await split(9, "5").message
        == "Could not find shard shardId-000000000009 in stream s under account 111111111111.")
    #expect(try await split(0, "5").status == 200)
    #expect(try await split(0, "7").message.contains("has already been merged or split"))
    let merge = try await refusal(
      "MergeShards", #""ShardToMerge":"shardId-000000000001","AdjacentShardToMerge":"shardId-000000000003""#)
    #expect(merge.message.hasSuffix("are not an adjacent pair of shards eligible for merging"))
    let scale = try await refusal("UpdateShardCount", #""TargetShardCount":9,"ScalingType":"UNIFORM_SCALING""#)
    #expect(scale.code == "LimitExceededException" && scale.message.contains("Current open shard count: 4"))
    try await kinesis.done(
      "UpdateStreamMode", #"{"StreamARN":"\#(KinesisTests.arn)","StreamModeDetails":{"StreamMode":"ON_DEMAND"}}"#)
    let managed = try await split(1, "3")
    #expect(managed.code == "ValidationException")
    #expect(managed.message == "Request is invalid. Stream s under account 111111111111 is in On-Demand mode.")
    try await kinesis.done(
      "UpdateStreamRecordDistributionStrategy",
      #"{"StreamARN":"\#(KinesisTests.arn)","RecordDistributionStrategy":"AUTO"}"#)
    #expect(try await kinesis.call("PutRecord", #"{"StreamName":"s","Data":"YQ=="}"#).status == 200)
  }

  @Test func recordsAreForgottenByTheClock() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream(2)
    for n in 0..<10 { try await kinesis.put("a\(n)", key: "\(n)") }
    await kinesis.advance(12 * 3600)
    try await kinesis.put("b")
    await kinesis.advance(12 * 3600)
    let (left, right) = (
      try await kinesis.texts("TRIM_HORIZON"), try await kinesis.texts("TRIM_HORIZON", shard: 1)
    )
    #expect(left + right == ["b"])
    #expect(try kinesis.rows() == 1)
    for (operation, hours, message) in [
      (
        "IncreaseStreamRetentionPeriod", 9000,
        "Maximum allowed retention period is 8760 hours. Requested retention period (9000 hours) is too long."
      ),
      (
        "DecreaseStreamRetentionPeriod", 23,
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short."
      ),
      (
        "DecreaseStreamRetentionPeriod", 48,
        "Requested retention period (48 hours) for stream s can not be longer than existing retention period (24 hours). Use IncreaseRetentionPeriod API."
      ),
    ] {
      let answer = try await kinesis.call(operation, #"{"StreamName":"s","RetentionPeriodHours":\#(hours)}"#)
      #expect(answer.code == "InvalidArgumentException" && answer.message == message)
    }
    try await kinesis.done("IncreaseStreamRetentionPeriod", #"{"StreamName":"s","RetentionPeriodHours":48}"#)
    await kinesis.advance(35 * 3600)
    #expect(try kinesis.rows() == 1)
    await kinesis.advance(3600)
    #expect(try kinesis.rows() == 0)
    try await kinesis.put("c")
    await kinesis.advance(30 * 3600)
    #expect(try kinesis.rows() == 1)
    try await kinesis.done("DecreaseStreamRetentionPeriod", #"{"StreamName":"s","RetentionPeriodHours":24}"#)
    await kinesis.advance(1)
    #expect(try kinesis.rows() == 0)
  }

  @Test func largeRecordsAreRefused() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    func put(_ size: Int, key: String = "k") async throws -> KinesisFixture.Answer {
      let data = Base64.encode([UInt8](repeating: 120, count: size))
      return try await kinesis.call("PutRecord", #"{"StreamName":"s","Data":"\#(data)","PartitionKey":"\#(key)"}"#)
    }
    let mebibyte = 1 << 20
    #expect(try await put(mebibyte - 1).status == 200)
    let answer = try await put(mebibyte)
    #expect(answer.code == "ValidationException")
    #expect(
      answer.message.hasSuffix("failed to satisfy constraint: Member must have length less than or equal to 1048576"))
    try await kinesis.done("UpdateMaxRecordSize", #"{"StreamARN":"\#(KinesisTests.arn)","MaxRecordSizeInKiB":2048}"#)
    #expect(try await put(mebibyte).status == 200)
    let data = Base64.encode([UInt8](repeating: 0, count: mebibyte))
    let records = (0..<11).map { _ in #"{"Data":"\#(data)","PartitionKey":"k"}"# }.joined(separator: ",")
    let batch = try await kinesis.call("PutRecords", #"{"StreamName":"s","Records":[\#(records)]}"#)
    #expect(batch.code == "InvalidArgumentException" && batch.message == "Records size exceeds 10 MB limit")
    // A page has ten mebibytes at most, and one record at least.
    for _ in 0..<10 { #expect(try await put(mebibyte + mebibyte / 2).status == 200) }
    let page = try await kinesis.records(kinesis.iterator("TRIM_HORIZON"))
    let rest = try await kinesis.records(page["NextShardIterator"]?.string ?? "")
    #expect(page["Records"]?.array?.count == 7 && rest["Records"]?.array?.count == 5)
  }

  @Test func streamsAreThereAfterARestart() async throws {
    let first = try KinesisFixture(isKept: true)
    try await first.makeStream(2)
    try await first.done("AddTagsToStream", #"{"StreamName":"s","Tags":{"b":"2","a":"1"}}"#)
    try await first.done("RegisterStreamConsumer", #"{"StreamARN":"\#(KinesisTests.arn)","ConsumerName":"c"}"#)
    let sequence = try await first.put("x", key: "1").sequence
    let before = try await first.done("DescribeStream", #"{"StreamName":"s"}"#)
    let second = try KinesisFixture(in: first.directory)
    #expect(try await second.done("DescribeStream", #"{"StreamName":"s"}"#) == before)
    let (shard, next) = try await second.put("y", key: "1")
    #expect(next > sequence)
    let index = try #require(KinesisShard.index(shard))
    #expect(try await second.texts("TRIM_HORIZON", shard: index) == ["x", "y"])
    let tags = try await second.done("ListTagsForStream", #"{"StreamName":"s"}"#)["Tags"]?.array
    #expect(tags?.compactMap { $0["Key"]?.string } == ["a", "b"])
    let consumers = try await second.done("ListStreamConsumers", #"{"StreamARN":"\#(KinesisTests.arn)"}"#)
    #expect(consumers["Consumers"]?.array?.first?["ConsumerARN"]?.string == "\(KinesisTests.arn)/consumer/c:1800000000")
  }

  @Test func consumersAndTags() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    let arn = KinesisTests.arn
    for name in ["c", "a", "b"] {
      try await kinesis.done(
        "RegisterStreamConsumer", #"{"StreamARN":"\#(arn)","ConsumerName":"\#(name)","Tags":{"k":"v"}}"#)
    }
    #expect(
      try await kinesis.call("RegisterStreamConsumer", #"{"StreamARN":"\#(arn)","ConsumerName":"a"}"#).code
        == "ResourceInUseException")
    let page = try await kinesis.done("ListStreamConsumers", #"{"StreamARN":"\#(arn)","MaxResults":2}"#)
    let rest = try await kinesis.done(
      "ListStreamConsumers", #"{"StreamARN":"\#(arn)","NextToken":"\#(page["NextToken"]?.string ?? "")"}"#)
    let names = [page, rest].flatMap { $0["Consumers"]?.array ?? [] }.compactMap { $0["ConsumerName"]?.string }
    #expect(names == ["a", "b", "c"] && rest["NextToken"] == nil)
    let consumer = "\(arn)/consumer/a:1800000000"
    try await kinesis.done("TagResource", #"{"ResourceARN":"\#(consumer)","Tags":{"x":"y"}}"#)
    try await kinesis.done("UntagResource", #"{"ResourceARN":"\#(consumer)","TagKeys":["k"]}"#)
    let tags = try await kinesis.done("ListTagsForResource", #"{"ResourceARN":"\#(consumer)"}"#)["Tags"]
    #expect(tags == .array([.members(("Key", .string("x")), ("Value", .string("y")))]))
    #expect(try await kinesis.done("ListTagsForResource", #"{"ResourceARN":"\#(arn)"}"#)["Tags"] == .array([]))
    #expect(try await kinesis.call("DeleteStream", #"{"StreamName":"s"}"#).code == "ResourceInUseException")
    try await kinesis.done("DeregisterStreamConsumer", #"{"ConsumerARN":"\#(consumer)"}"#)
    let gone = try await kinesis.call("DescribeStreamConsumer", #"{"ConsumerARN":"\#(consumer)"}"#)
    #expect(gone.code == "ResourceNotFoundException")
    try await kinesis.done("AddTagsToStream", #"{"StreamName":"s","Tags":{"a":"1"}}"#)
    try await kinesis.done("RemoveTagsFromStream", #"{"StreamName":"s","TagKeys":["a"]}"#)
    #expect(try await kinesis.done("ListTagsForStream", #"{"StreamName":"s"}"#)["Tags"] == .array([]))
    #expect(
      try await kinesis.call("GetResourcePolicy", #"{"ResourceARN":"\#(arn)"}"#).code == "ResourceNotFoundException")
    try await kinesis.done("PutResourcePolicy", #"{"ResourceARN":"\#(arn)","Policy":"{}"}"#)
    #expect(try await kinesis.done("GetResourcePolicy", #"{"ResourceARN":"\#(arn)"}"#)["Policy"]?.string == "{}")
    try await kinesis.done("DeleteResourcePolicy", #"{"ResourceARN":"\#(arn)"}"#)
    try await kinesis.done("StartStreamEncryption", #"{"StreamName":"s","EncryptionType":"KMS","KeyId":"alias/a"}"#)
    #expect(
      try await kinesis.done("DescribeStreamSummary", #"{"StreamName":"s"}"#)["StreamDescriptionSummary"]?["KeyId"]?
        .string
        == "alias/a")
    try await kinesis.done("StopStreamEncryption", #"{"StreamName":"s","EncryptionType":"KMS","KeyId":"alias/a"}"#)
    try await kinesis.done("DeleteStream", #"{"StreamName":"s","EnforceConsumerDeletion":true}"#)
  }

  @Test func listsComeInPages() async throws {
    let kinesis = try KinesisFixture()
    for name in ["c", "a", "b"] {
      try await kinesis.done("CreateStream", #"{"StreamName":"\#(name)","ShardCount":5}"#)
    }
    let page = try await kinesis.done("ListStreams", #"{"Limit":2}"#)
    #expect(page["StreamNames"] == .array([.string("a"), .string("b")]) && page["HasMoreStreams"]?.bool == true)
    let rest = try await kinesis.done("ListStreams", #"{"NextToken":"\#(page["NextToken"]?.string ?? "")"}"#)
    #expect(rest["StreamNames"] == .array([.string("c")]) && rest["HasMoreStreams"]?.bool == false)
    let shards = try await kinesis.done("ListShards", #"{"StreamName":"a","MaxResults":3}"#)
    let token = shards["NextToken"]?.string ?? ""
    let others = try await kinesis.done("ListShards", #"{"NextToken":"\#(token)"}"#)
    #expect(shards["Shards"]?.array?.count == 3 && others["Shards"]?.array?.count == 2)
    #expect(
      try await kinesis.call("ListShards", #"{"StreamName":"a","NextToken":"\#(token)"}"#).message
        == "NextToken and StreamName cannot be provided together.")
    let described = try await kinesis.done("DescribeStream", #"{"StreamName":"a","Limit":4}"#)["StreamDescription"]
    #expect(described?["Shards"]?.array?.count == 4 && described?["HasMoreShards"]?.bool == true)
    await kinesis.advance(301)
    #expect(try await kinesis.call("ListShards", #"{"NextToken":"\#(token)"}"#).code == "ExpiredNextTokenException")
  }

  @Test func streamsThatCannotBeAreRefused() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    func refusal(_ body: String) async throws -> KinesisFixture.Answer { try await kinesis.call("CreateStream", body) }
    let twice = try await refusal(#"{"StreamName":"s","ShardCount":1}"#)
    #expect(twice.code == "ResourceInUseException")
    #expect(twice.message == "Stream s under account 111111111111 already exists.")
    #expect(try await refusal(#"{"StreamName":"t"}"#).code == "ValidationException")
    let many = try await refusal(#"{"StreamName":"t","ShardCount":20000}"#)
    #expect(many.code == "LimitExceededException")
    #expect(many.message.contains("Current shard count for the account: 1. Limit: 20000."))
    #expect(try await refusal(#"{"StreamName":"t","StreamModeDetails":{"StreamMode":"ON_DEMAND"}}"#).status == 200)
    let limits = try await kinesis.done("DescribeLimits")
    #expect(limits["OpenShardCount"]?.integer == 5 && limits["OnDemandStreamCount"]?.integer == 1)
    #expect(try await kinesis.call("DescribeStream").code == "InvalidArgumentException")
    let differ = #"{"StreamName":"t","StreamARN":"\#(KinesisTests.arn)"}"#
    #expect(try await kinesis.call("DescribeStream", differ).code == "InvalidArgumentException")
    let other = #"{"StreamARN":"arn:aws:kinesis:us-east-1:222222222222:stream/s"}"#
    #expect(try await kinesis.call("DescribeStream", other).code == "ResourceNotFoundException")
  }

  @Test func othersPutRecordsByTheDoor() async throws {
    let kinesis = try KinesisFixture()
    try await kinesis.makeStream()
    let call = kinesis.newCall().by("events.amazonaws.com")
    let record = Kinesis.Outgoing(data: ByteBuffer(string: "x"), partitionKey: "k")
    let put = try await kinesis.door.call(
      Kinesis.PutRecord.self, .init(stream: .init(arn: KinesisTests.arn), record: record), call)
    #expect(put.placed.shard == KinesisShard.id(0))
    #expect(try await kinesis.texts("TRIM_HORIZON") == ["x"])
    let long = Kinesis.Outgoing(data: ByteBuffer(), partitionKey: String(repeating: "k", count: 257))
    await #expect(throws: AWSError.self) {
      _ = try await kinesis.door.call(
        Kinesis.PutRecord.self, .init(stream: .init(arn: KinesisTests.arn), record: long), call)
    }
  }
}
