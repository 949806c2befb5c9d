using System.Globalization;
using BenchmarkDotNet.Running;
using MlNetDistill.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var command = Arguments.Command();
if (args is ["--help"] || command.Subcommands.Any(sub => sub.Name == args.FirstOrDefault()))
    return command.Parse(args).Invoke();
BenchmarkSwitcher.FromAssembly(typeof(Arguments).Assembly).Run(args);
return 0;
