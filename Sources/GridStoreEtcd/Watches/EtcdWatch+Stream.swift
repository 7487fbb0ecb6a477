internal import FoundationEssentials
internal import GRPCCore
internal import GRPCProtobuf
internal import GridCore
internal import SwiftProtobuf
internal import Synchronization

extension EtcdWatch {
  /// Reads one stream until it ends, or is cancelled.
  func read(_ connection: EndpointConnection) async -> StreamEnd? {
    let sent = SentMark()
    let token: String?
    do throws(EtcdFailure) {
      let answer = try await channel.thread.withDeadline(channel.attemptTimeout) {
        () async throws(EtcdFailure) -> String? in try await self.channel.token(connection)
      }
      guard let answer else { return .broken }
      token = answer
    } catch {
      return error.isWorthAnotherAttempt ? .broken : .refused(error.error)
    }
    do {
      return try await connection.client.bidirectionalStreaming(
        request: request(EndpointConnection.metadata(token), sent), descriptor: EtcdMethod.watch.descriptor,
        serializer: ProtobufSerializer<Etcdserverpb_WatchRequest>(),
        deserializer: ProtobufDeserializer<Etcdserverpb_WatchResponse>(), options: EndpointConnection.options
      ) { response in
        for try await message in response.messages {
          if let end = await self.received(message, token) { return end }
        }
        return .broken
      }
    } catch {
      return broken(connection.failure(error, sent), token)
    }
  }

  private func request(
    _ metadata: Metadata, _ sent: SentMark
  ) -> StreamingClientRequest<Etcdserverpb_WatchRequest> {
    let key = reader.mapping.rangeStart(prefix)
    let end = EtcdMapping.rangeEnd(reader.mapping.key(prefix))
    let start = state.withLock { $0.mirror.revision }.addingClamped(1)
    return StreamingClientRequest(metadata: metadata) { [channel] writer in
      sent.set()
      try await writer.write(
        .with {
          $0.createRequest = .with {
            $0.key = key
            $0.rangeEnd = end
            $0.startRevision = start
          }
        })
      // The member shows that it lives by answering these.
      while !Task.isCancelled {
        await channel.thread.sleep(Self.progressInterval)
        if Task.isCancelled { return }
        try await writer.write(.with { $0.progressRequest = Etcdserverpb_WatchProgressRequest() })
      }
    }
  }

  /// - Returns: why the stream is to be left; nil to go on.
  private func received(_ message: Etcdserverpb_WatchResponse, _ token: String?) async -> StreamEnd? {
    let news = state.withLock { state in
      state.heardAt = clock.now()
      return message.canceled ? [] : state.mirror.take(message.events)
    }
    if message.canceled { return cancelled(message, token) }
    if message.created, message.header.revision < state.withLock({ $0.mirror.revision }) {
      // A member that is behind, or a store that went back: soon to be seen.
      state.withLock { $0.verifyAt = clock.now() }
    }
    guard let last = news.last else { return nil }
    state.withLock { $0.wasDenied = false }
    await feed.send(.changes(news.compactMap(reader.mapping.change), revision: last.kv.modRevision))
    state.withLock { $0.heardAt = clock.now() }
    return nil
  }

  /// Etcd confirms a watch first and then cancels it, with the revision that is gone if that is why.
  private func cancelled(_ message: Etcdserverpb_WatchResponse, _ token: String?) -> StreamEnd {
    if message.compactRevision > 0 || message.cancelReason.contains("compacted") { return .mustResynchronise }
    guard message.cancelReason.contains("permission denied") else { return .broken }
    let error = GridError(
      .refused, "etcd denies us to watch what begins with \(NameRules.quoted(prefix))",
      hint: "etcdctl user get USER, etcdctl role get ROLE", cause: message.cancelReason)
    return denied(error, token)
  }

  private func broken(_ failure: EtcdFailure, _ token: String?) -> StreamEnd {
    switch failure.reason {
    case .compacted, .futureRevision: .mustResynchronise
    case .tokenInvalid: denied(failure.error, token)
    case _ where failure.isWorthAnotherAttempt, .cancelled: .broken
    default: .refused(failure.error)
    }
  }

  /// Signs in again the first time.
  private func denied(_ error: GridError, _ token: String?) -> StreamEnd {
    channel.forgetToken(token)
    let isFirst = state.withLock { state in
      defer { state.wasDenied = true }
      return !state.wasDenied
    }
    return isFirst && channel.signsIn ? .broken : .refused(error)
  }
}
