// What waits in queues and for how long, and the memory of the host: more families of `/_martlet/metrics`.
import FoundationEssentials
import MartletCloud
import MartletCore
import MartletLambda
import MartletWire

extension MetricsPage {
  func backlog(_ page: inout Exposition) {
    let now = lambda.world.now()
    func age(_ moment: Timestamp) -> Double { max(0, Double(now.milliseconds - moment.milliseconds) / 1000) }
    let queues = cloud.sqs.census.map { (labels: MetricsPage.labels(queue: $0.key), census: $0) }
    page.family(
      "martlet_sqs_messages", .gauge, "Messages in a queue.",
      queues.flatMap { labels, census -> [(Exposition.Labels, Double)] in
        [("visible", census.visible), ("in_flight", census.inFlight), ("delayed", census.delayed)].map {
          (labels + [("state", $0.0)], Double($0.1))
        }
      })
    page.family(
      "martlet_sqs_oldest_message_age_seconds", .gauge, "Age of the oldest message of a queue that has any.",
      queues.compactMap { labels, census in census.oldest.map { (labels, age($0)) } })
    page.family(
      "martlet_async_oldest_event_age_seconds", .gauge, "Age of the oldest asynchronous event that is not over.",
      lambda.events.oldest.map { [([], age($0))] } ?? [])
    memory(&page)
  }

  private static func labels(queue key: ResourceKey) -> Exposition.Labels {
    [("account", key.place.account.id), ("region", key.place.region.name), ("queue", key.name)]
  }

  /// What the kernel says of the host (proc(5)).
  private func memory(_ page: inout Exposition) {
    let text = FileManager.default.contents(atPath: "/proc/meminfo").map { String(decoding: $0, as: UTF8.self) } ?? ""
    var samples: [(labels: Exposition.Labels, value: Double)] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 2, let kibibytes = Double(words[1]) else { continue }
      if words[0] == "MemTotal:" { samples.append(([("state", "total")], kibibytes * 1024)) }
      if words[0] == "MemAvailable:" { samples.append(([("state", "available")], kibibytes * 1024)) }
    }
    page.family("martlet_host_memory_bytes", .gauge, "Memory of the host.", samples)
  }
}
