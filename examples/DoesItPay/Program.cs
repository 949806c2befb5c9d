using DoesItPay;
using DoesItPay.Data;
using DoesItPay.Measured;
using DoesItPay.Report;
using Microsoft.ML;
using TorchSharp;

return CommandLine.Run(Settings.Command(Run), args);

static void Run(Settings settings)
{
    torch.set_num_threads(settings.Threads);
    var folder = new RunFolder(settings.Out);
    if (!settings.TableOnly)
    {
        Interruption.HowToGoOn = "Finished runs are kept: the same command goes on from there.";
        foreach (var name in settings.Sets)
        {
            var set = DataSets.Load(name, settings);
            Console.WriteLine($"{set.Title}: {set.Train.Length:N0} rows to train, {set.Test.Length:N0} to test, {set.Classes.Count} classes.");
            var experiment = new Experiment(new MLContext(seed: 1), settings, folder, set);
            foreach (var regime in settings.Regimes)
                LiveTable.Show([.. experiment.Cells(regime)], settings.Seeds, table => experiment.Run(regime, table));
        }
    }

    folder.WriteResults();
    var cells = Cell.From(folder.ReadResults());
    RunFolder.Write(folder.TableFile, MarkdownTable.Format(cells));
    RunFolder.Write(folder.ChartFile, new Chart(cells).ToSvg());
    Console.WriteLine($"Wrote {folder.ResultsFile}, {folder.TableFile} and {folder.ChartFile}.");
}
