internal import Grid
internal import GridClient
internal import GridCore

extension Settings {
  /// How long a connection is waited for, whatever its answers may take.
  var connectPatience: Duration { min(timeout, ClusterClient.connectPatience) }

  /// A way into the cluster that the options name; not connected yet.
  func client(patience: Duration? = nil) -> ClusterClient {
    ClusterClient(places, patience: patience ?? connectPatience)
  }

  /// Where the secret of the namespace is.
  var secretPath: String { secretFile ?? directories.secret }

  /// The token that is shown to HOST:PORT; nil shows something else.
  ///
  /// Of several ways to get in the first of these is taken: `--token-file`, a certificate, `--secret-file`, the token
  /// of the variable or the context, the secret where it lies.
  var shownToken: SecretReference? {
    let isNamed = sources.token.isFlag
    return !isNamed && (tls?.certificate != nil || sources.secretFile.isFlag) ? nil : token
  }

  /// Where the options say that nodes are.
  var places: ClusterPlaces {
    let state = directories.state
    var places = ClusterPlaces(
      namespace: namespace, endpoints: endpoints, directories: directories, secretFile: secretFile,
      registered: { [namespace] in
        await RegisteredNodes.addresses(namespace: namespace, stateDirectory: state)
      })
    places.tls = tls
    if let shownToken {
      places.token = { () async throws(GridError) in try await shownToken.token(environment: Settings.variables) }
    }
    places.identity = "\(context?.name ?? "")\n\(namespace)"
    return places
  }
}
