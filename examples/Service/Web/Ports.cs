namespace Service.Web;

/// <summary>
/// Two kinds of addresses: rows are scored at one, health and metrics are at the other, which clients need not reach. A connection is told by where it came in, as
/// a Host header can be made up.
/// </summary>
internal static class Ports
{
    private const string Scoring = nameof(Scoring);
    private const string Management = nameof(Management);

    public static void AddPorts(this WebApplicationBuilder builder, ServiceSettings settings)
    {
        var endpoints = Named(Scoring, settings.Urls).Concat(Named(Management, settings.ManagementUrls)).ToArray();
        // They are the only ones: with addresses under the usual name as well Kestrel would warn that it takes these.
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

    /// <summary>Found at the addresses for management alone.</summary>
    public static TBuilder ForManagement<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new IsManagement());

    /// <summary>Lets nobody find at one kind of address what is at the other.</summary>
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
