using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.HostFiltering;
using Service;
using Service.Scoring;
using Service.Web;

// dotnet run -c Release --project examples/Service -- --model student.zip [--urls http://localhost:5000] [--managementUrls http://localhost:5001] …
// ServiceSettings has all of them.
try
{
    var builder = WebApplication.CreateBuilder(args);
    var settings = ServiceSettings.Read(builder.Configuration);
    var student = LoadedStudent.Load(settings.Model, settings.Features, settings.MaxBatch);
    await using var app = Build(builder, settings, student);
    // Runs until SIGTERM or Ctrl+C. Then no new connections are accepted, open requests are answered, and the student is disposed last.
    await app.RunAsync();
    return 0;
}
catch (Exception fault) when (fault is UsageException or IOException or FormatException)
{
    // IOException: the address is in use. FormatException: it is not an address.
    Console.Error.WriteLine(fault.Message);
    return 2;
}

static WebApplication Build(WebApplicationBuilder builder, ServiceSettings settings, LoadedStudent student)
{
    // A line for each request would cost more than to score it.
    builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
    // A number takes up to 16 characters, so a much larger body is not a row.
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.Limits.MaxRequestBodySize = 4096 + (64L * student.Features.Length);
        kestrel.Limits.MaxConcurrentConnections = settings.MaxConnections;
        kestrel.AddServerHeader = false;
    });
    builder.AddPorts(settings);
    builder.AddLimits(settings);
    builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(settings.ShutdownSeconds));
    builder.Services.Configure<HostFilteringOptions>(filter => filter.AllowedHosts = [.. settings.Hosts]);
    builder.Services.AddSingleton(settings);
    builder.Services.AddSingleton<ScoringInstruments>();
    builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<CurrentStudent>(services, student));
    builder.Services.AddHostedService<ModelWatcher>();
    builder.Services.AddProblemDetails();
    builder.Services.AddExceptionHandler<BadRequests>();
    builder.AddMetrics();
    builder.Services.AddHealthChecks().AddCheck<ScoringCheck>("scoring");
    builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);

    var app = builder.Build();
    app.UseExceptionHandler();
    app.UseStatusCodePages();
    app.UseRouting();
    app.KeepPortsApart();
    app.UseRateLimiter();
    app.MapPost("/score", ScoreEndpoint.Score);
    app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = ScoringCheck.Write }).ForManagement().DisableRateLimiting();
    // For orchestrators that restart a hanging service: any answer means that it is alive.
    app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).ForManagement().DisableRateLimiting();
    app.MapModel();
    app.MapPrometheusScrapingEndpoint("/metrics").ForManagement().DisableRateLimiting();
    return app;
}
