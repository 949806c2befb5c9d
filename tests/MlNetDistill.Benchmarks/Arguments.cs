namespace MlNetDistill.Benchmarks;

/// <summary>
/// <c>accuracy letter|fashion --data DIR [--seeds 3] [--hidden 128] [--teacher network|fasttree]
/// [--temperature 4] [--alpha 0.9] [--held-out]</c> trains the pair and prints test figures
/// (with <c>--held-out</c> it trains on four fifths of the training rows and measures on the rest, to choose settings by);
/// <c>speed letter|fashion --data DIR [--seconds 6] [--kind plain|kd|dist|cckd|rco|sskd] [--threads 2] [--rows N]</c> prints rows trained on in a second;
/// <c>record letter|fashion --data DIR [--rounds 7] [--threads 1] [--rows N]</c> prints what training from a teacher record costs against training on labels
/// alone, and building the record against asking the teacher once;
/// <c>cost [--rounds 7]</c> prints what a head of 1000 classes over 2048 features costs: µs a row, bytes of the zip, bytes of memory;
/// anything else goes to BenchmarkDotNet.
/// </summary>
internal sealed record Arguments(string Command, string DataSet, string Data, int Seeds, int Hidden, string Teacher, double Seconds, string Kind, int Threads, double Temperature, double Alpha, bool HeldOut, int Rows, int Rounds)
{
    public static Arguments Parse(string[] args)
    {
        string Value(string name, string otherwise)
        {
            var at = Array.IndexOf(args, name);
            return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
        }

        return new Arguments(
            args.ElementAtOrDefault(0) ?? "",
            args.ElementAtOrDefault(1) ?? "",
            Value("--data", "."),
            int.Parse(Value("--seeds", "3")),
            int.Parse(Value("--hidden", "128")),
            Value("--teacher", "network"),
            double.Parse(Value("--seconds", "6")),
            Value("--kind", "plain"),
            int.Parse(Value("--threads", args.FirstOrDefault() == "record" ? "1" : "2")),
            double.Parse(Value("--temperature", "4")),
            double.Parse(Value("--alpha", "0.9")),
            args.Contains("--held-out"),
            int.Parse(Value("--rows", "1000000")),
            int.Parse(Value("--rounds", "7")));
    }
}
