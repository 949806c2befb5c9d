using System.Globalization;
using BenchmarkDotNet.Running;
using MlNetDistill.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var options = Arguments.Parse(args);
switch (options.Command)
{
    case "accuracy":
        Accuracy.Run(options);
        break;
    case "speed":
        Speed.Run(options);
        break;
    case "record":
        RecordCost.Run(options);
        break;
    case "cost":
        Cost.Run(options);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Arguments).Assembly).Run(args);
        break;
}
