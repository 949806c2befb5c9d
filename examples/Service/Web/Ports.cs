namespace Service.Web;

/// <summary>
/// Two kinds of addresses: one for scoring, one for health and metrics, which clients need not reach. The local port of the connection decides, because a Host header can be
/// forged.
/// </summary>
internal static class Ports
{
    private const string Scoring = nameof(Scoring);
    private const string Management = nameof(Management);

    public static void AddPorts(this WebApplicationBuilder builder, ServiceSettings settings)
    {
        var endpoints = Named(Scoring, settings.Urls).Concat(Named(Management, settings.ManagementUrls)).ToArray();
        // Removes the addresses under the usual name; with both, Kestrel would warn that it uses these.
        builder.Configuration.AddInMemoryCollection(
            endpoints.ToDictionary(e => $"Kestrel:Endpoints:{e.Name}:Url", e => (string?)e.Url).Append(new(WebHostDefaults.ServerUrlsKey, "")));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var loader = kestrel.Configure(builder.Configuration.GetSection("Kestrel"));
            foreach (var (name, _) in endpoints.Where(e => e.Name.StartsWith(Management, StringComparison.Ordinal)))
            {
                loader.Endpoint(name, endpoint => endpoint.ListenOptions.Use(next => connection =>
                {
                    connection.Features.Set(new IsManagement());
                    return next(connection);
                }));
            }
        });
    }

    /// <summary>Makes an endpoint available only at the addresses for management.</summary>
    public static TBuilder ForManagement<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new IsManagement());

    /// <summary>Answers 404 for endpoints of the other kind of address.</summary>
    public static void KeepPortsApart(this WebApplication app) => app.Use((context, next) =>
    {
        var isManagement = context.Features.Get<IsManagement>() is not null;
        if (context.GetEndpoint() is { } endpoint && isManagement != (endpoint.Metadata.GetMetadata<IsManagement>() is not null))
            context.SetEndpoint(null);
        return next(context);
    });

    private static IEnumerable<(string Name, string Url)> Named(string name, string urls) => ServiceSettings.Addresses(urls).Select((url, i) => ($"{name}{i}", url));

    private sealed record IsManagement;
}
