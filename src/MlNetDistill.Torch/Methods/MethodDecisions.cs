namespace MlNetDistill.Methods;

/// <summary>A choice that a method made during training.</summary>
/// <param name="Question">What was to be chosen.</param>
/// <param name="Choice">What was chosen, by number.</param>
internal sealed record MethodDecision(string Question, int Choice);

/// <summary>The choices of a method in order. When a saved run continues, its choices are repeated, not computed again: the student has been trained on since.</summary>
internal sealed class MethodDecisions(List<MethodDecision> decisions)
{
    private int _next;

    public int Decide(string question, Func<int> choose)
    {
        if (_next == decisions.Count)
            decisions.Add(new MethodDecision(question, choose()));
        var decision = decisions[_next++];
        return decision.Question == question ? decision.Choice : throw new InvalidOperationException(
            $"The method decides '{question}', but the saved state of its training has '{decision.Question}' next: the method or its settings have changed since. Continue with the same ones.");
    }
}
