using System.CommandLine;
using System.Globalization;
using MlNetDistill.DeviceCheck;
using MlNetDistill.Networks;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var deviceName = new Option<string>("--device") { Description = "what is compared with the CPU", DefaultValueFactory = _ => "cuda" }.AcceptOnlyFromAmong("cpu", "cuda");
var folder = new Option<string>("--out") { Description = "folder for device-check.json", DefaultValueFactory = _ => "." };
var only = new Option<string?>("--only") { Description = "the checks whose names begin so, with commas between them" };
var budget = new Option<double>("--budget") { Description = "seconds after which no check is begun", DefaultValueFactory = _ => 310 };
var from = new Option<int?>("--worker") { Description = "how the program starts itself: make the checks from this one on", Hidden = true };
var precision = new Option<TrainingPrecision?>(Measurement.Command) { Description = "how the program starts itself: measure training in this precision", Hidden = true };
var command = new RootCommand("Compares a GPU with the CPU, loss by loss, network by network, method by method, and times training beside PyTorch.")
{
    deviceName, folder, only, budget, from, precision,
};
command.SetAction(given =>
{
    var settings = new Settings(given.GetValue(deviceName)!, Path.GetFullPath(given.GetValue(folder)!), given.GetValue(only), given.GetValue(budget));
    if (given.GetValue(precision) is { } measured)
        return Measurement.Run(settings, measured);
    return given.GetValue(from) is { } first ? Worker.Run(settings, first) : new Supervisor(settings).Run();
});
return command.Parse(args).Invoke();
